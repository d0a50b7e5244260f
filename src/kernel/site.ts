/** Where the library is, as stacks name it: by URL or by path. */
const here = new URL("..", import.meta.url).href.replace(/^file:\/\//, "");

/** The place in the user's code where something was made: the first line of the stack that is not the library's. */
export function siteOf(made: Error | undefined): string | undefined {
  const lines = made?.stack?.split("\n").slice(1) ?? [];
  return (lines.find((line) => !line.includes(here)) ?? lines[0])?.trim();
}
