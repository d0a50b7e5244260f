import { describe, expect, test } from "vitest";
import { optionsOf } from "./options.js";
import { type Ending, judged, notRun, type Report } from "./result.js";
import { versionIn } from "./runtimes.js";
import { excluded, type Skip, skipOf } from "./skips.js";
import { printed, summed } from "./table.js";

const skips: readonly Skip[] = [
  { on: ["bun"], files: "test/a.test.ts", test: /^stacks/, reason: "no stacks" },
  { on: ["*"], files: "test/tools/", reason: "a tool" },
];

const ending = (tests: readonly (readonly [name: string, status: string])[], over: Partial<Ending> = {}): Ending => {
  const assertionResults = tests.map(([fullName, status]) => ({
    fullName,
    status,
    failureMessages: status === "failed" ? ["Error: no\n at x"] : [],
  }));
  const report: Report = { testResults: [{ name: "/top/test/a.test.ts", status: "passed", assertionResults }] };
  return { runtime: "bun", status: 0, seconds: 2, output: "the end of it", report, isBoxed: false, ...over };
};

describe("a suite", () => {
  test("has passed where it ended with 0, tests have passed and none failed", () => {
    const result = judged(
      ending([
        ["works", "passed"],
        ["stacks", "skipped"],
      ]),
      skips,
    );
    expect(result).toMatchObject({ state: "passed", files: 1, passed: 1, skipped: 1, failed: 0, complaints: [] });
    expect([...result.reasons]).toEqual([["no stacks", 1]]);
  });

  test("says which test failed, with the first line of why", () => {
    const result = judged(
      ending(
        [
          ["works", "passed"],
          ["breaks", "failed"],
        ],
        { status: 1, isBoxed: true },
      ),
      skips,
    );
    expect(result).toMatchObject({ state: "failed", passed: 1, failed: 1, complaints: ["test/a.test.ts: breaks: Error: no"] });
  });

  const works = [["works", "passed"]] as const;
  test.each([
    {
      of: "an error outside of any test",
      ending: ending(works, { status: 1, isBoxed: true }),
      complaint: "ended with 1, though no test failed:\nthe end of it",
    },
    { of: "no report", ending: ending([], { report: undefined }), complaint: "ended with 0, and without a report:\nthe end of it" },
    {
      of: "an end that never came",
      ending: ending(works, { status: undefined, isBoxed: true }),
      complaint: "cut off, because it did not end in its time",
    },
    { of: "nothing that passed", ending: ending([], { isBoxed: true }), complaint: "no test has passed" },
    {
      of: "a skip that is for no test",
      ending: ending(works),
      complaint: "skips.ts names /^stacks/ in test/a.test.ts, and there is no such test",
    },
  ])("has failed by $of", ({ ending, complaint }) => {
    expect(judged(ending, skips)).toMatchObject({ state: "failed", complaints: [complaint] });
  });
});

test("a skip by full name is needed as long as there is such a test", () => {
  const named = [{ on: ["bun"], files: "test/a.test.ts", names: new Set(["works", "gone"]), reason: "no reason" }];
  expect(
    judged(
      ending([
        ["works", "skipped"],
        ["other", "passed"],
      ]),
      named,
    ).complaints,
  ).toEqual(['skips.ts names "gone" in test/a.test.ts, and there is no such test']);
});

describe("what is skipped", () => {
  test("is told by runtime, file and name", () => {
    expect(skipOf("bun", "test/a.test.ts", "stacks of it", skips)?.reason).toBe("no stacks");
    expect(skipOf("deno", "test/a.test.ts", "stacks of it", skips)).toBeUndefined();
    expect(skipOf("bun", "test/a.test.ts", "other stacks", skips)).toBeUndefined();
    expect(skipOf("deno", "test/tools/b.test.ts", undefined, skips)?.reason).toBe("a tool");
  });

  test("is not loaded where all of a file is", () => {
    expect(excluded("bun", false, skips)).toEqual(["test/tools/**"]);
    expect(excluded("bun", true, skips)).toEqual(["test/tools/**", "test/scale/**", "test/docs/**", "test/examples/**"]);
  });
});

test("the table never shows what was not run as passed", () => {
  const rows = [
    { name: "bun", version: "1.4.5", result: judged(ending([["works", "passed"]], { isBoxed: true }), skips) },
    { name: "node20", version: "20.20.2", result: notRun("the time was over before its turn") },
  ];
  expect(printed(rows)).toBe(
    [
      "runtime  version  files  passed  skipped  failed  seconds",
      "bun      1.4.5        1       1        0       0        2",
      "node20   20.20.2                                           not run",
      "node20: not run: the time was over before its turn",
    ].join("\n"),
  );
  expect(summed(rows)).toBe("1 passed, 0 failed, 1 not run (node20)");
});

test("the command line names runtimes, and minutes", () => {
  const known = ["bun", "deno"];
  expect(optionsOf(["--within", "8", "deno"], known)).toEqual({ within: 8, names: ["deno"] });
  expect(optionsOf(["--within"], known)).toBe("--within takes a number of minutes");
  expect(optionsOf(["node99"], known)).toBe("there is no runtime node99; there are bun, deno");
  expect(["v20.20.2", "deno 2.9.6 (stable)", "workerd 2026-11-17"].map(versionIn)).toEqual(["20.20.2", "2.9.6", "2026-11-17"]);
});
