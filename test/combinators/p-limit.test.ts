import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Awaitable, Cancelled, CapacityLimiter, DeadlockError, isCancellation, map, now, sleep, UsageError } from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** What p-limit says it does, written with a `CapacityLimiter`. What is different is told by the tests, and in docs/combinators.md. */
class Limit {
  readonly #limiter: CapacityLimiter;
  #queue = new AbortController();

  constructor(concurrency: number) {
    this.#limiter = new CapacityLimiter(concurrency);
  }

  async run<A extends unknown[], R>(fn: (...args: A) => Awaitable<R>, ...args: A): Promise<R> {
    // The token belongs to the call, not to the task: one task may have several.
    using _token = await this.#limiter.borrow(this.#queue);
    return await fn(...args);
  }

  map<T, R>(items: Iterable<T>, fn: (item: T, index: number) => Awaitable<R>): Promise<R[]> {
    return Promise.all(Array.from(items, (item, index) => this.run(fn, item, index)));
  }

  get activeCount(): number {
    return this.#limiter.borrowed;
  }

  get pendingCount(): number {
    return this.#limiter.statistics().tasksWaiting;
  }

  get concurrency(): number {
    return this.#limiter.total;
  }

  set concurrency(concurrency: number) {
    this.#limiter.total = concurrency;
  }

  clearQueue(): void {
    this.#queue.abort();
    this.#queue = new AbortController();
  }
}

describe("pLimit()", () => {
  test("runs so many functions at a time, in the order of the calls, and returns what they return", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 })), fc.integer({ min: 1, max: 4 }), async (durations, concurrency) => {
        await simulate(async () => {
          const limit = new Limit(concurrency);
          const begun: number[] = [];
          let most = 0;
          const job = async (ms: number, index: number) => {
            begun.push(index);
            most = Math.max(most, limit.activeCount);
            expect(limit.activeCount + limit.pendingCount).toBeLessThanOrEqual(durations.length);
            await sleep(ms);
            return -ms;
          };
          expect(await limit.map(durations, job)).toEqual(durations.map((ms) => -ms));
          expect(begun).toEqual(durations.map((_, index) => index));
          expect(most).toBe(Math.min(concurrency, durations.length));
          expect([limit.activeCount, limit.pendingCount]).toEqual([0, 0]);
        });
      }),
    );
  });

  test("passes arguments on, and takes a function that returns a value, or throws", async () => {
    await simulate(async () => {
      const limit = new Limit(1);
      expect(await limit.run((a: number, b: string) => `${a}${b}`, 1, "x")).toBe("1x");
      const broken = new Error("broken");
      expect(
        await rejectionOf(
          limit.run(() => {
            throw broken;
          }),
        ),
      ).toBe(broken);
      expect(limit.activeCount).toBe(0);
    });
  });

  test("tells how many run and how many wait", async () => {
    await simulate(async (nursery) => {
      const limit = new Limit(2);
      for (let i = 0; i < 5; i++) nursery.startSoon(() => limit.run(() => sleep(10)));
      expect([limit.activeCount, limit.pendingCount]).toEqual([0, 0]);
      await sleep(5);
      expect([limit.activeCount, limit.pendingCount]).toEqual([2, 3]);
      await sleep(20);
      expect([limit.activeCount, limit.pendingCount]).toEqual([1, 0]);
    });
  });

  test("the limit can be changed: a higher one lets more begin, a lower one waits for those that run", async () => {
    await simulate(async (nursery) => {
      const limit = new Limit(1);
      for (let i = 0; i < 9; i++) nursery.startSoon(() => limit.run(() => sleep(10)));
      await sleep(1);
      limit.concurrency = 3;
      await sleep(1);
      expect([limit.concurrency, limit.activeCount]).toEqual([3, 3]);
      limit.concurrency = 1;
      await sleep(8.5);
      expect([limit.concurrency, limit.activeCount]).toEqual([1, 2]);
      await sleep(1);
      expect(limit.activeCount).toBe(1);
    });
  });

  test("what waits can be discarded: those calls reject, those that run go on", async () => {
    await simulate(async () => {
      const limit = new Limit(1);
      const running = limit.run(() => sleep(10));
      const waiting = limit.run(() => expect.unreachable());
      await sleep(1);
      limit.clearQueue();
      expect(await rejectionAs(Cancelled, waiting)).toMatchObject({ name: "AbortError", kind: "signal" });
      await running;
      expect(await limit.run(() => "as before")).toBe("as before");
      expect(now()).toBe(10);
    });
  });

  test("different: nested use of one limit is told, where p-limit waits for ever", async () => {
    const nested = new Limit(1);
    const error = await rejectionAs(
      DeadlockError,
      simulate(() => nested.run(() => nested.run(() => 1))),
    );
    expect(error.message).toContain("main waits: acquire CapacityLimiter");
    // Whose limit it is by task is told at the call, in production too.
    const limiter = new CapacityLimiter(1);
    await simulate(async () => {
      expect(
        await rejectionAs(
          UsageError,
          limiter.run(() => limiter.run(() => 1)),
        ),
      ).toMatchObject({
        message: expect.stringContaining("has a token of this limiter already"),
      });
    });
  });

  test("different: a call that is cancelled while it waits has left the queue, one that runs is told so", async () => {
    await simulate(async (nursery) => {
      const limit = new Limit(1);
      let told = false;
      const running = nursery.startSoon(() =>
        limit.run(async () => {
          try {
            await sleep(10_000);
          } catch (error) {
            told = isCancellation(error);
            throw error;
          }
        }),
      );
      const waiting = nursery.startSoon(() => limit.run(() => expect.unreachable()));
      nursery.startSoon(() => limit.run(() => expect(now()).toBe(2)));
      await sleep(1);
      expect(limit.pendingCount).toBe(2);
      waiting.cancel();
      expect(limit.pendingCount).toBe(1);
      await sleep(1);
      running.cancel();
      await sleep(1);
      expect([told, limit.activeCount, limit.pendingCount]).toEqual([true, 0, 0]);
    });
  });

  test("a limit for one function, or for the items of one list, needs none of it", async () => {
    await simulate(async () => {
      const only = new CapacityLimiter(2);
      const limited = (ms: number) => only.run(() => sleep(ms));
      await map([10, 10, 10, 10], limited);
      expect(now()).toBe(20);
      await map([10, 10, 10, 10], (ms) => sleep(ms), { concurrency: 2 });
      expect(now()).toBe(40);
    });
  });

  test("refuses a limit that is none", () => {
    for (const concurrency of [-1, 1.5, Number.NaN]) expect(() => new Limit(concurrency)).toThrow(RangeError);
    expect(() => new Limit("1" as never)).toThrow(TypeError);
  });
});
