import fc from "fast-check";
import { expect, test } from "vitest";
import { schedules } from "../support/schedules.js";
import { channelPrograms } from "./channel-program.js";
import { type Ending, type Result, runProgram, runProgramInProduction } from "./channel-runner.js";

/** Whatever the referee thinks: what was seen to be sent and received, and what is left, has to add up. */
function expectNothingLost({ endings, channels }: Result): void {
  channels.forEach(({ model, left }, n) => {
    const sent = endings.flatMap((ending) => sentBy(ending, n));
    const received = endings.flatMap((ending) => receivedBy(ending, n));
    expect(new Set(received).size).toBe(received.length);
    const known = new Set(sent.map(({ value }) => value));
    expect([...received, ...left].filter((value) => !known.has(value))).toEqual([]);
    // Without a receiver what is in the buffer is dropped.
    if (model.open.receive.size > 0) expect([...received, ...left].sort(byNumber)).toEqual([...known].sort(byNumber));
    // What came out is the first part of what went in; and what one sender has sent went in in that order.
    expect(model.received).toEqual(model.sent.slice(0, model.received.length));
    expect([...model.received].sort(byNumber)).toEqual([...received].sort(byNumber));
    for (const actor of new Set(sent.map(({ actor }) => actor))) {
      const own = sent.filter((one) => one.actor === actor).map(({ value }) => value);
      expect(model.sent.filter((value) => own.includes(value))).toEqual(own);
    }
  });
}

function byNumber(a: number, b: number): number {
  return a - b;
}

function sentBy({ actor, outcome, sends }: Ending, n: number): { readonly actor: number; readonly value: number }[] {
  if (typeof outcome === "string" || "error" in outcome) return [];
  const [channel, value] = sends.get(outcome.key) ?? [];
  return value !== undefined && channel === n ? [{ actor, value }] : [];
}

function receivedBy({ outcome, receivesFrom }: Ending, n: number): number[] {
  if (typeof outcome === "string" || "error" in outcome || receivesFrom.get(outcome.key) !== n) return [];
  const { value } = outcome as { readonly value: number | { readonly done: boolean; readonly value: number } };
  if (typeof value === "number") return [value];
  return value.done ? [] : [value.value];
}

/** What was seen to happen in all programs together. */
function kindOf({ op, outcome, isAtOnce, sends, receivesFrom }: Ending): string {
  const when = isAtOnce ? "at once" : "later";
  if (typeof outcome === "string") return `${op}: ${outcome}, ${when}`;
  if ("error" in outcome) return `${op}: ${outcome.error}, ${when}`;
  if (op !== "select") return `${op}: done, ${when}`;
  const what = sends.has(outcome.key) ? "a send" : receivesFrom.has(outcome.key) ? "a receive" : "something else";
  return `select: ${what}, ${when}`;
}

test("R6, R11, CH1-CH11, FA1, FA3, FA5, FA8: whoever sends, receives, iterates, selects, clones, closes and is cancelled when, at any order of wake-ups", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(channelPrograms({ time: true }), schedules(), async (program, schedule) => {
      const result = await runProgram(program, schedule);
      expectNothingLost(result);
      for (const ending of result.endings) seen.set(kindOf(ending), (seen.get(kindOf(ending)) ?? 0) + 1);
    }),
    { numRuns: 600 },
  );
  const both = (...kinds: string[]) => kinds.flatMap((kind) => [`${kind}, at once`, `${kind}, later`]);
  const expected = [
    ...both("send: done", "receive: done", "iterate: done", "select: a send", "select: a receive", "select: something else"),
    ...both("send: BrokenResourceError", "send: cancelled"),
    ...both("receive: EndOfChannel", "receive: ClosedResourceError", "receive: cancelled"),
    ...both("iterate: ClosedResourceError", "iterate: cancelled"),
    ...both("select: ClosedResourceError", "select: cancelled", "select: TaskCancelledError"),
    "send: ClosedResourceError, at once",
    "select: BrokenResourceError, at once",
    "select: EndOfChannel, at once",
    "sendNowait: WouldBlock, at once",
    "receiveNowait: WouldBlock, at once",
  ];
  expect(expected.filter((kind) => !seen.has(kind))).toEqual([]);
});

test("R6, R11: so it is in production", async () => {
  await fc.assert(
    fc.asyncProperty(channelPrograms({ time: false }), async (program) => expectNothingLost(await runProgramInProduction(program))),
    { numRuns: 300 },
  );
});
