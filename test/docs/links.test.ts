import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, linksOf } from "./links.js";
import { pages, root, textOf } from "./pages.js";

test.each(pages)("%s: every link leads somewhere", (page) => {
  expect(linksOf(textOf(page)).filter(({ to }) => !leadsSomewhere(page, to))).toEqual([]);
});

function leadsSomewhere(page: string, to: string): boolean {
  const [file = "", anchor] = to.split("#");
  const target = file === "" ? page : join(dirname(page), file);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(textOf(target)).includes(anchor);
}

describe("the reader of links", () => {
  const page = [
    "# Whose `cancel()` is it?",
    "[one](a.md), and [`two[0](x)`](b.md#c) [out](https://host/)",
    "## Again",
    "```ts",
    "# no heading, and [no link](d.md)",
    "```",
    "    [no link](e.md)",
    "## Again",
  ].join("\n");

  test("finds those to files of the project, where they are prose", () => {
    expect(linksOf(page)).toEqual([
      { to: "a.md", line: 2 },
      { to: "b.md#c", line: 2 },
    ]);
  });

  test("names headings as GitHub does", () => {
    expect(anchorsOf(page)).toEqual(["whose-cancel-is-it", "again", "again-1"]);
  });

  test("finds those that lead nowhere", () => {
    expect(leadsSomewhere("docs/semantics.md", "no-such-page.md")).toBe(false);
    expect(leadsSomewhere("docs/semantics.md", "#no-such-heading")).toBe(false);
    expect(leadsSomewhere("docs/semantics.md", "channels.md#no-such-heading")).toBe(false);
    expect(leadsSomewhere("docs/semantics.md", "#the-tree")).toBe(true);
    expect(leadsSomewhere("README.md", "docs/semantics.md#the-tree")).toBe(true);
  });
});
