import { describe, expect, test } from "vitest";
import { exporting, gzipped } from "./bundle.js";
import { setUp } from "./setup.js";
import { aligned, bytes } from "./table.js";
import { byFile, costOf, gzipWithoutTexts } from "./without.js";

describe("a bundle, taken apart", () => {
  const text = [
    "import x from 'y';",
    "",
    "// dist/src/kernel/a.js",
    "var a = 1; // not a file",
    "",
    "// dist/src/b.js",
    "var b;",
    "export {",
    "  a",
    "};",
    "",
  ];

  test("by file, without the list of its exports", () => {
    expect(byFile(text.join("\n")).map(({ file, text }) => [file, text.trim()])).toEqual([
      ["", "import x from 'y';"],
      ["kernel/a.js", "var a = 1; // not a file"],
      ["b.js", "var b;"],
    ]);
  });

  test("what is of no file of the library is kept", () => {
    expect(byFile("// entry:x\nvar a;\n// dist/src/b.js\nvar b;")).toEqual([
      { file: "", text: "" },
      { file: "", text: "var a;\n" },
      { file: "b.js", text: "var b;" },
    ]);
  });

  test("a file costs what the bundle has less without it; one that is not in it is an error", async () => {
    setUp();
    const cost = await costOf(exporting("Lock"));
    const [lock, both] = [await cost(["sync/lock.js"]), await cost(["sync/lock.js", "kernel/scope.js"])];
    expect(lock).toBeGreaterThan(300);
    expect(both).toBeGreaterThan(lock);
    expect(await cost([])).toBe(0);
    await expect(cost(["sync/semaphore.js"])).rejects.toThrow("not in the bundle: sync/semaphore.js");
  });

  test("texts that are long are left out, and no others", () => {
    const code = 'a("AbortError","this is a message that advises",`and more of them, as long as that one`)';
    expect(gzipWithoutTexts(code, 24)).toBe(gzipped('a("AbortError","","")'));
    expect(gzipWithoutTexts(code, 1000)).toBe(gzipped(code));
  });
});

describe("a table", () => {
  test("has its first column to the left, the others to the right, and no space at the end", () => {
    expect(aligned([["bytes", "gzip"], ["core", "1"], ["everything", "12,345"], ["told"]])).toBe(
      ["bytes         gzip", "core             1", "everything  12,345", "told"].join("\n"),
    );
  });

  test("has thousands apart", () => {
    expect([0, 999, 13_023].map(bytes)).toEqual(["0", "999", "13,023"]);
  });
});
