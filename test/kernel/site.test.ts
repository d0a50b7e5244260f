import { describe, expect, test } from "vitest";
import { folderOf, siteOf } from "../../src/kernel/site.js";

describe("where the library is", () => {
  test("is told by the URL of a module of it, as stacks name it", () => {
    expect(folderOf("file:///app/node_modules/creche/dist/src/kernel/site.js")).toBe("/app/node_modules/creche/dist/src/");
    expect(folderOf("https://esm.sh/creche/src/kernel/site.js")).toBe("https://esm.sh/creche/src/");
  });

  test.each([undefined, "", "worker.js"])("is not known where modules have no URL (%j), and that is no mistake", (url) => {
    expect(folderOf(url)).toBeUndefined();
  });
});

test("the site of an error is the first line of its stack that is neither the library's nor the platform's", () => {
  expect(siteOf(new Error("here"))).toContain("site.test.ts");
  expect(siteOf(undefined)).toBeUndefined();
  const made = new Error("made here");
  made.stack = "Error: made here\n    at run (node:async_hooks:62:22)\n    at job (/app/job.js:5:9)";
  expect(siteOf(made)).toBe("at job (/app/job.js:5:9)");
  made.stack = "Error: made here\n    at run (node:async_hooks:62:22)";
  expect(siteOf(made)).toBe("at run (node:async_hooks:62:22)");
});
