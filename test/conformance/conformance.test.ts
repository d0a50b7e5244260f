import { describe, expect, test } from "vitest";
import { isAmbientSupported } from "#context";
import plain from "./cases.jsonl?raw";
import plain2 from "./cases-2.jsonl?raw";
import plain3 from "./cases-3.jsonl?raw";
import strict3 from "./cases-3-strict.jsonl?raw";
import { casesIn } from "./cases-in.js";
import strict from "./cases-strict.jsonl?raw";
import { check, type Verdict } from "./check.js";
import type { Case } from "./program.js";
import { randomPick } from "./random-pick.js";

const FILES = [
  { file: "cases.jsonl", text: plain, isStrict: false, cases: 492 },
  { file: "cases-2.jsonl", text: plain2, isStrict: false, cases: 389 },
  { file: "cases-strict.jsonl", text: strict, isStrict: true, cases: 142 },
  { file: "cases-3.jsonl", text: plain3, isStrict: false, cases: 300 },
  { file: "cases-3-strict.jsonl", text: strict3, isStrict: true, cases: 100 },
];

const SCHEDULES = 20;

describe.each(FILES)("what Trio did with the programs of $file", ({ text, isStrict, cases }) => {
  const recorded = casesIn(text);

  const ways = [
    { how: "in ambient scopes", isPassing: false, schedules: SCHEDULES },
    { how: "in scopes that are passed", isPassing: true, schedules: isAmbientSupported ? 2 : SCHEDULES },
  ];

  test.each(
    isAmbientSupported ? ways : ways.slice(1),
  )(`creche does as well, with all ${cases}, $how, each also under $schedules random schedules`, async (way) => {
    const failed: Verdict[] = [];
    for (const each of recorded) {
      const verdict = await check(each, { ...way, isStrict });
      if (verdict.state === "failed") failed.push(verdict);
    }
    expect(failed).toEqual([]);
    expect(recorded).toHaveLength(cases);
  });
});

describe("a case that differs is told by its first difference:", () => {
  const sample = (change: (recorded: Case) => Case): Case => change(casesIn(plain)[3] as Case);

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
