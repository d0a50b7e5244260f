import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "./check.js";
import type { Case } from "./program.js";
import { readCases } from "./read-cases.js";

const FILES = [
  { file: "cases.jsonl", isStrict: false, runs: 156, skipped: 336 },
  { file: "cases-2.jsonl", isStrict: false, runs: 55, skipped: 334 },
  { file: "cases-strict.jsonl", isStrict: true, runs: 49, skipped: 93 },
];

const SCHEDULES = 20;

describe.each(FILES)("what Trio did with the programs of $file", ({ file, isStrict, runs, skipped }) => {
  const cases = readCases(new URL(file, import.meta.url));

  test("creche does as well", async () => {
    const verdicts = await Promise.all(cases.map((recorded) => check(recorded, { isStrict })));
    expect(verdicts.filter(({ state }) => state === "failed")).toEqual([]);
    expect(verdicts.filter(({ state }) => state === "passed")).toHaveLength(runs);
    expect(verdicts.filter(({ state }) => state === "skipped")).toHaveLength(skipped);
  });

  test(`also under ${SCHEDULES} random schedules each, because none of them depends on the schedule`, async () => {
    for (const recorded of cases) {
      for (const seed of fc.sample(fc.integer(), { numRuns: SCHEDULES, seed: 1 })) {
        const { state, difference } = await check(recorded, { isStrict, pick: randomPick(seed) });
        if (state === "failed") expect.fail(`${recorded.id}, schedule ${seed}: ${difference}`);
      }
    }
  });
});

/** A small generator (mulberry32): what matters is that a seed tells the whole schedule. */
function randomPick(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
}

describe("a case that differs is told by its first difference:", () => {
  const sample = (change: (recorded: Case) => Case): Case => change(readCases(new URL("cases.jsonl", import.meta.url))[3] as Case);

  test("another event", async () => {
    const changed = sample((recorded) => {
      const tasks = { ...recorded.trace.tasks, main: [[0, "start T7 -> v16"] as const, ...(recorded.trace.tasks["main"] ?? []).slice(1)] };
      return { ...recorded, trace: { ...recorded.trace, tasks } };
    });
    expect(await check(changed)).toEqual({
      id: "11-4",
      state: "failed",
      difference: 'task main, event 1: expected "start T7 -> v16" at 0, got "start T7 -> v15" at 0',
    });
  });

  test("an event that is missing, and another outcome", async () => {
    const longer = sample((recorded) => ({
      ...recorded,
      trace: { ...recorded.trace, tasks: { ...recorded.trace.tasks, T99: [[1, "done"]] } },
    }));
    expect((await check(longer)).difference).toBe('task T99, event 1: expected "done" at 1, got nothing');
    const other = sample((recorded) => ({ ...recorded, trace: { ...recorded.trace, outcome: "Boom(x)" } }));
    expect((await check(other)).difference).toBe("outcome: expected Boom(x), got ok");
  });
});

describe("the runner", () => {
  const runner = fileURLToPath(new URL("../../dist/test/conformance/main.js", import.meta.url));
  const runOn = (lines: readonly string[], ...options: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "conformance-"));
    try {
      writeFileSync(join(folder, "some.jsonl"), lines.join("\n"));
      const { status, stdout } = spawnSync(process.execPath, [runner, join(folder, "some.jsonl"), ...options], { encoding: "utf8" });
      return { status, stdout };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const program = (msg: string, expected: string) =>
    JSON.stringify({
      id: `a-${expected}`,
      program: { body: [{ op: "log", msg }] },
      trace: {
        tasks: {
          main: [
            [0, expected],
            [0, "done"],
            [0, "horizon not reached"],
          ],
        },
        outcome: "ok",
      },
    });

  test("takes any file of the format, and ends with 0 if all cases agree", () => {
    expect(runOn([program("hello", "hello"), ""])).toEqual({ status: 0, stdout: "1 passed, 0 failed\n" });
  });

  test("prints a line for each case that differs, and ends with 1", () => {
    const { status, stdout } = runOn([program("hello", "bye"), program("hello", "hello")], "--strict");
    expect(stdout).toBe('a-bye: task main, event 1: expected "bye" at 0, got "hello" at 0\n1 passed, 1 failed\n');
    expect(status).toBe(1);
  });

  test("says how it is used, and ends with 2, without a file", () => {
    const { status, stderr } = spawnSync(process.execPath, [runner], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("usage: npm run -s conformance -- FILE.jsonl");
  });
});
