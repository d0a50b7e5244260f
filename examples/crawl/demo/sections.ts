import { marked, type Token } from "marked";

/** A part of a Markdown document, which becomes a page of its own. */
export interface Section {
  /** Empty for what comes before the first heading of the second level. */
  readonly title: string;
  html(): string;
}

export function sectionsOf(markdown: string): Section[] {
  const parts: { title: string; tokens: Token[] }[] = [{ title: "", tokens: [] }];
  for (const token of marked.lexer(markdown)) {
    if (token.type === "heading" && token["depth"] === 2) parts.push({ title: token["text"], tokens: [] });
    parts.at(-1)?.tokens.push(token);
  }
  return parts.map(({ title, tokens }) => ({ title, html: () => marked.parser(tokens) }));
}
