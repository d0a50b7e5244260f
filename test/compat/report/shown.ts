/** The lines that the table shows for a probe with a wrapper: what is really called, as its reader would write it. */
export function shownWrapper(call: (...args: never) => unknown): string {
  const text = call.toString();
  const begin = text.indexOf("wrap(");
  if (begin === -1) throw new Error(`there is no wrapper in\n${text}`);
  const variables = text.slice(0, begin).match(/^\s*let \w+;$/gm) ?? [];
  const start = begin + "wrap(".length;
  const inside = text.slice(start, closing(text, start));
  // The scope around it is found by itself, and options that say nothing are left out.
  const args = inside.replace(/, task$/, "").replace(/, \{\s*\}$/, "");
  return [...variables.map((line) => line.trim()), dedented(`await cancellable(${args});`)].join("\n");
}

/** The compiler indents by four, and by as much as the function was indented. */
function dedented(text: string): string {
  const [first, ...rest] = text.split("\n");
  const depths = rest.map((line) => line.search(/\S/));
  const least = Math.min(...depths);
  return [first, ...rest.map((line, i) => " ".repeat(((depths[i] as number) - least) / 2) + line.trim())].join("\n");
}

/** Where the bracket closes that was opened before `start`. */
function closing(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if ("([{".includes(text[i] as string)) depth++;
    else if (")]}".includes(text[i] as string) && --depth === 0) return i;
  }
  return text.length;
}
