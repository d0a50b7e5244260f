import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "creche-docs-"));

afterAll(() => rmSync(folder, { recursive: true }));

const simulated = new URL("../../src/testing/simulate.ts", import.meta.url).pathname;

/** The same program, whose `run` takes no time. */
function inVirtualTime(code: string): string {
  const { 1: names = "" } = /^import \{ (.*) \} from "creche";/m.exec(code) ?? [];
  expect(names).toMatch(/\brun\b/);
  return `import { simulate as run } from ${JSON.stringify(simulated)};\n${code.replace(names, names.replace(/\brun,? ?/, ""))}`;
}

/** Each piece of code of a page, with the line it begins in. */
function snippetsOf(page: string): { readonly code: string; readonly line: number }[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(({ 1: code = "", index }) => ({
    code,
    line: text.slice(0, index).split("\n").length + 1,
  }));
}

/** What the comments on lines of their own say that has been printed so far, from the left margin or inside of a block; not what they explain. */
function promisedBy(code: string): string[] {
  return [...code.matchAll(/^ *\/\/ (?!Wrong|Right|await )(.*)$/gm)].flatMap(({ 1: words = "" }) => words.split(" "));
}

describe.each([
  { page: "channels.md", atLeast: 5 },
  { page: "generators.md", atLeast: 8 },
])("docs/$page: every piece of code prints what it says, from line", ({ page, atLeast }) => {
  const snippets = snippetsOf(page);

  test.each(snippets)("$line", async ({ code, line }) => {
    const file = join(folder, `${page}-${line}.ts`);
    writeFileSync(file, inVirtualTime(code));
    const printed: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...given) => void printed.push(...format(...given).split(" ")));
    try {
      await import(/* @vite-ignore */ file);
    } finally {
      log.mockRestore();
    }
    expect(printed).toEqual(promisedBy(code));
    expect(printed.length).toBeGreaterThan(0);
  });

  test("and there are some", () => {
    expect(snippets.length).toBeGreaterThanOrEqual(atLeast);
  });
});
