/** A link of a page to a file of the project, or into one. */
export interface Link {
  /** As it is written: `semantics.md#the-tree`. */
  readonly to: string;
  readonly line: number;
}

/** The links of a page that do not lead out of the project. Code is not looked at. */
export function linksOf(text: string): Link[] {
  return proseOf(text).flatMap((prose, i) =>
    [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, to = ""]) => (/^[a-z]+:/.test(to) ? [] : { to, line: i + 1 })),
  );
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf(text: string): string[] {
  const given = new Map<string, number>();
  return proseOf(text).flatMap((prose) => {
    const [, heading] = /^#{1,6} (.*)$/.exec(prose) ?? [];
    if (heading === undefined) return [];
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    const times = given.get(anchor) ?? 0;
    given.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** The lines of a page, empty where they are code. */
function proseOf(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const [, found] = /^\s*(`{3,})/.exec(line) ?? [];
    if (found !== undefined && (fence === undefined || fence === found)) {
      fence = fence === undefined ? found : undefined;
      return "";
    }
    return fence === undefined && !line.startsWith("    ") ? line.replaceAll(/`[^`]*`/g, (code) => code.replaceAll(/[[\]()]/g, "")) : "";
  });
}
