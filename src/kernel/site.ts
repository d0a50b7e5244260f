/** Where the library is, as stacks name it: by URL or by path. Undefined where modules have no URL, as in workerd: nothing tells its lines there. */
const here = folderOf(import.meta.url);

/** The folder above that of a module, as stacks name it. @internal */
export function folderOf(url: string | undefined): string | undefined {
  try {
    return new URL("..", url).href.replace(/^file:\/\//, "");
  } catch {
    return undefined;
  }
}

/** The place in the user's code where something was made: the first line of the stack that is not the library's. */
export function siteOf(made: Error | undefined): string | undefined {
  const lines = made?.stack?.split("\n").slice(1) ?? [];
  return (lines.find((line) => here === undefined || !line.includes(here)) ?? lines[0])?.trim();
}
