export interface Link {
  readonly href: string;
  readonly text: string;
}

export function htmlPage(title: string, body: string): string {
  const safe = escapeHtml(title);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${safe}</title></head><body><h1>${safe}</h1>${body}</body></html>\n`;
}

export function linkList(links: readonly Link[]): string {
  return `<ul>${links.map(({ href, text }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></li>`).join("")}</ul>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
