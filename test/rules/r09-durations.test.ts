import { expect, test } from "vitest";
import {
  CancelScope,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepUntil,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

const never = () => {
  throw new Error("the body was called");
};

const DURATIONS: Record<string, (ms: number) => unknown> = {
  "sleep()": (ms) => sleep(ms),
  "moveOnAfter()": (ms) => moveOnAfter(ms, never),
  "failAfter()": (ms) => failAfter(ms, never),
  "shield({ timeout })": (ms) => shield(never, { timeout: ms }),
  "new CancelScope({ timeout })": (ms) => new CancelScope({ timeout: ms }),
  "new CancelScope({ cleanupTimeout })": (ms) => new CancelScope({ cleanupTimeout: ms }),
  "openNursery({ cleanupTimeout })": (ms) => openNursery(never, { cleanupTimeout: ms }),
  "run({ cleanupTimeout })": (ms) => run(never, { cleanupTimeout: ms }),
};

const INSTANTS: Record<string, (at: number) => unknown> = {
  "sleepUntil()": (at) => sleepUntil(at),
  "moveOnAt()": (at) => moveOnAt(at, async () => {}),
  "failAt()": (at) => failAt(at, async () => {}),
  "new CancelScope({ deadline })": (at) => new CancelScope({ deadline: at }),
  "scope.deadline =": (at) => {
    new CancelScope().deadline = at;
  },
};

/** What a call throws or rejects with, inside a run; it takes no time. */
async function refusal(call: () => unknown): Promise<unknown> {
  return simulate(async () => {
    try {
      await call();
    } catch (error) {
      expect(now()).toBe(0);
      return error;
    }
    return undefined;
  });
}

const what = (name: string, value: unknown) => ({ name, value, title: `${name} of ${String(value)}` });
const each = (calls: Record<string, unknown>, values: readonly unknown[]) =>
  Object.keys(calls).flatMap((name) => values.map((value) => what(name, value)));

test.each(
  each(DURATIONS, [Number.NaN, -1, -Number.MIN_VALUE, Number.NEGATIVE_INFINITY]),
)("a duration that is NaN or negative is a RangeError: $title", async ({ name, value }) => {
  const error = await refusal(() => DURATIONS[name]?.(value as number));
  expect(error).toBeInstanceOf(RangeError);
  expect((error as Error).message).toMatch(/is a number of milliseconds that is not negative \(Infinity for no limit\), not (NaN|-)/);
});

test.each(each(DURATIONS, ["5", null, 5n, {}, new Date(5), [5]]))("a duration that is no number is a TypeError: $title", async ({
  name,
  value,
}) => {
  const error = await refusal(() => DURATIONS[name]?.(value as number));
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).toMatch(/is a number of milliseconds, not /);
});

test.each(each(DURATIONS, [0, -0, 1e300, Number.POSITIVE_INFINITY]))("other durations are legal: $title", async ({ name, value }) => {
  const call = DURATIONS[name];
  if (call === undefined || (name === "sleep()" && value === Number.POSITIVE_INFINITY)) return;
  const error = await refusal(() => call(value as number));
  expect(error === undefined || (error as Error).message === "the body was called").toBe(true);
});

test.each(each(INSTANTS, [Number.NaN]))("an instant that is NaN is a RangeError: $title", async ({ name, value }) => {
  const error = await refusal(() => INSTANTS[name]?.(value as number));
  expect(error).toBeInstanceOf(RangeError);
  expect((error as Error).message).toMatch(/is an instant of now\(\), in milliseconds, not NaN/);
});

test.each(each(INSTANTS, ["5", null, 5n, new Date(5)]))("an instant that is no number is a TypeError: $title", async ({ name, value }) => {
  const error = await refusal(() => INSTANTS[name]?.(value as number));
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).toMatch(/is an instant of now\(\), in milliseconds, not /);
});

test.each(each(INSTANTS, [-5, 0, Number.NEGATIVE_INFINITY]))("an instant that has passed is legal: $title", async ({ name, value }) => {
  expect(await refusal(() => INSTANTS[name]?.(value as number))).toBeUndefined();
});

test("a timeout and a deadline at once are refused, and the two remedies told", () => {
  expect(() => new CancelScope({ timeout: 5, deadline: 5 })).toThrow(
    /takes `timeout` \(milliseconds from its entry\) or `deadline` \(an instant of now\(\)\), not both/,
  );
});

test("the deadline of a scope with a timeout is not known before its entry, and saying so is an error", () => {
  expect(() => new CancelScope({ timeout: 5 }).deadline).toThrow(/known from its entry on, because the timeout counts from there/);
});

test("a refused deadline leaves the one that was there", async () => {
  await simulate(async () => {
    const scope = new CancelScope({ timeout: 5 });
    await scope.run(async () => {
      expect(() => {
        scope.deadline = Number.NaN;
      }).toThrow(RangeError);
      expect(scope.deadline).toBe(5);
      await sleep(10);
    });
    expect([scope.cancelledCaught, now()]).toEqual([true, 5]);
  });
});
