import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failAfter, moveOnAfter, now, run, sleep, sleepUntil, TimeoutError } from "../../src/index.js";
import { Clock } from "../../src/kernel/clock.js";
import type { Timer } from "../../src/kernel/runtime.js";

const LONGEST_DELAY = 2 ** 31 - 1;

class Recorded implements Timer {
  readonly at: number;
  readonly isDeadline = false;
  order = 0;
  live = false;
  firedAt: number | undefined = undefined;

  constructor(at: number) {
    this.at = at;
  }

  fire(): void {
    this.firedAt = performance.now();
  }
}

let delays: number[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  delays = [];
  const arm = globalThis.setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, delay?: number) => {
    delays.push(delay ?? 0);
    return arm(callback, delay);
  }) as typeof setTimeout);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("set" as const),
      delay: fc.oneof(fc.integer({ min: -5, max: 50 }), fc.double({ min: 0, max: 50, noNaN: true })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("clear" as const), timer: fc.nat(15) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("expire" as const) }) },
);

test("the clock arms at most one timer, none when nothing is left, and fires each of its own when it is due", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      vi.clearAllTimers();
      const clock = new Clock();
      const timers: Recorded[] = [];
      for (const step of steps) {
        if (step.op === "set") {
          const timer = new Recorded(clock.now() + step.delay);
          timers.push(timer);
          clock.set(timer);
        } else if (step.op === "clear") {
          const timer = timers[step.timer];
          if (timer !== undefined) clock.clear(timer);
        } else if (step.op === "pass") vi.advanceTimersByTime(step.ms);
        else {
          clock.expire();
          expect(timers.filter((timer) => timer.live && timer.at <= clock.now())).toEqual([]);
        }
        const live = timers.filter((timer) => timer.live);
        expect(vi.getTimerCount()).toBe(live.length > 0 ? 1 : 0);
        for (const timer of timers) if (timer.firedAt !== undefined) expect(timer.firedAt).toBeGreaterThanOrEqual(timer.at);
      }
      // A delay is rounded up to whole milliseconds, so 1 ms after the last is due nothing is left.
      vi.advanceTimersByTime(52);
      expect(timers.filter((timer) => timer.live)).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("a fraction of a millisecond is rounded up, so that one timer of the platform is enough", () => {
  const clock = new Clock();
  const timer = new Recorded(clock.now() + 10.25);
  clock.set(timer);
  vi.advanceTimersByTime(11);
  expect(delays).toEqual([11]);
  expect(timer.live).toBe(false);
});

test("a timer of the platform that comes early is armed again, and wakes nobody", () => {
  const clock = new Clock();
  const timer = new Recorded(clock.now() + 100);
  let callback: (() => void) | undefined;
  vi.mocked(globalThis.setTimeout).mockImplementation(((given: () => void, delay: number) => {
    callback = given;
    delays.push(delay);
    return {} as ReturnType<typeof setTimeout>;
  }) as typeof setTimeout);
  clock.set(timer);
  expect(delays).toEqual([100]);
  vi.advanceTimersByTime(99);
  callback?.();
  expect(timer.firedAt).toBeUndefined();
  expect(delays).toEqual([100, 1]);
  vi.advanceTimersByTime(1);
  callback?.();
  expect(timer.firedAt).toBe(100);
  expect(delays).toHaveLength(2);
});

test("a sleep of more than 2^31 ms wakes when it is due, and the platform never gets a delay that it cannot keep", async () => {
  const ms = 3 * 2 ** 31 + 12_345;
  let wokenAt: number | undefined;
  const running = run(async () => {
    const begun = now();
    await sleep(ms);
    wokenAt = now() - begun;
  });
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(wokenAt).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  await running;
  expect(wokenAt).toBe(ms);
  expect(delays.length).toBeGreaterThan(3);
  expect(Math.max(...delays)).toBe(LONGEST_DELAY);
});

test.each([
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_VALUE,
])("neither a sleep nor a deadline of %d ms is over at once", async (ms) => {
  const outcome = run(async (nursery) => {
    const sleeper = nursery.startSoon(() => sleep(ms));
    const until = nursery.startSoon(() => sleepUntil(now() + ms));
    const limited = await moveOnAfter(ms, async () => {
      await sleep(1_000);
      return "in time";
    });
    const states = [sleeper.state, until.state];
    nursery.cancel();
    return [limited, ...states];
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome).toEqual(["in time", "running", "running"]);
  for (const delay of delays) expect(delay).toBeLessThanOrEqual(LONGEST_DELAY);
  expect(vi.getTimerCount()).toBe(0);
});

test("a deadline beyond 2^31 ms is kept", async () => {
  const ms = 2 ** 31 + 500;
  const outcome = run(() => failAfter(ms, () => sleep(Number.POSITIVE_INFINITY))).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toBeInstanceOf(TimeoutError);
});

test("Infinity arms nothing", async () => {
  const outcome = run(async (nursery) => {
    nursery.startSoon(() => sleep(Number.POSITIVE_INFINITY));
    nursery.startSoon(() => moveOnAfter(Number.POSITIVE_INFINITY, () => sleepUntil(Number.POSITIVE_INFINITY)));
    await sleep(0);
    await sleep(0);
    const armed = vi.getTimerCount();
    nursery.cancel();
    return armed;
  });
  expect(await outcome).toBe(0);
  expect(delays).toEqual([]);
});
