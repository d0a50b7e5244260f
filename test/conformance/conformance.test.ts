import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { check, type Verdict } from "./check.js";
import type { Case } from "./program.js";
import { randomPick } from "./random-pick.js";
import { readCases } from "./read-cases.js";

const FILES = [
  { file: "cases.jsonl", isStrict: false, cases: 492 },
  { file: "cases-2.jsonl", isStrict: false, cases: 389 },
  { file: "cases-strict.jsonl", isStrict: true, cases: 142 },
  { file: "cases-3.jsonl", isStrict: false, cases: 300 },
  { file: "cases-3-strict.jsonl", isStrict: true, cases: 100 },
];

const SCHEDULES = 20;

describe.each(FILES)("what Trio did with the programs of $file", ({ file, isStrict, cases }) => {
  const recorded = readCases(new URL(file, import.meta.url));

  test(`creche does as well, with all ${cases}, each also under ${SCHEDULES} random schedules`, async () => {
    const failed: Verdict[] = [];
    for (const each of recorded) {
      const verdict = await check(each, { isStrict, schedules: SCHEDULES });
      if (verdict.state === "failed") failed.push(verdict);
    }
    expect(failed).toEqual([]);
    expect(recorded).toHaveLength(cases);
  });
});

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

describe("a random schedule", () => {
  const order = (seed: number) => Array.from({ length: 20 }, randomPick(seed).bind(undefined, 5));

  test("is told by its seed, and stays within what is ready", () => {
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect(new Set([...order(1), ...order(2)])).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test("that differs is named, so that it can be run again", async () => {
    // Which of two tasks logs first at one instant is up to the schedule; here that shows in one task's trace, which no recorded case allows.
    const spawn = (name: string) => ({
      op: "spawn" as const,
      nursery: "n",
      name,
      body: [{ op: "send_nowait" as const, id: "c", value: name }],
    });
    const program = {
      channels: { c: 2 },
      body: [
        { op: "nursery" as const, id: "n", body: [spawn("a"), spawn("b")] },
        { op: "receive" as const, id: "c" },
      ],
    };
    const one = (name: string) => [[0, `sent ${name}`] as const, [0, "done"] as const];
    const main = ["nursery n exit", "received a", "done", "horizon not reached"].map((event) => [0, event] as const);
    const verdict = await check(
      { id: "x", program, trace: { tasks: { a: one("a"), b: one("b"), main }, outcome: "ok" } },
      { schedules: 20 },
    );
    expect(verdict.state).toBe("failed");
    expect(verdict.difference).toMatch(/^schedule \d+: task main, event 2: expected "received a" at 0, got "received b" at 0$/);
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

  test("reruns each case under as many random schedules as it is told", () => {
    expect(runOn([program("hello", "hello")], "--schedules", "3")).toEqual({
      status: 0,
      stdout: "1 passed, 0 failed, each also under 3 random schedules\n",
    });
  });

  test.each([
    { of: "no file", args: [] },
    { of: "an unknown option", args: ["some.jsonl", "--fast"] },
    { of: "a number of schedules that is none", args: ["some.jsonl", "--schedules", "-1"] },
  ])("says how it is used, and ends with 2, for $of", ({ args }) => {
    const { status, stderr } = spawnSync(process.execPath, [runner, ...args], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("usage: npm run -s conformance -- FILE.jsonl");
  });
});
