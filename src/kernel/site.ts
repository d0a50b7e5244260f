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

/** The place in the user's code where something was made: the first line of the stack that is neither the library's nor the platform's. */
export function siteOf(made: Error | undefined): string | undefined {
  const lines = made?.stack?.split("\n").slice(1) ?? [];
  return (lines.find(isOfUser) ?? lines[0])?.trim();
}

function isOfUser(line: string): boolean {
  return !/\bnode:/.test(line) && (here === undefined || !line.includes(here));
}
