import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { now, RateLimiter, run, sleep, UsageError, WouldBlock } from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { ManualRuntime } from "./manual-runtime.js";
import { asking } from "./rate-limiter-support.js";

describe("it keeps the time of one clock:", () => {
  const other = new UsageError(
    "this rate limiter keeps the time of another clock, in which it was used first: make one for each simulation",
  );

  test("that of production, which all runs share, also under a foreign signal alone", async () => {
    const limiter = new RateLimiter({ limit: 1, interval: 1e9, burst: 4 });
    await run(() => limiter.acquire());
    await run(() => limiter.acquire());
    await limiter.acquire(new AbortController());
    limiter.acquireNowait(new AbortController());
    expect(limiter.available).toBe(0);
    await simulate(async () => {
      expect(await rejectionOf(limiter.acquire())).toEqual(other);
      expect(thrownBy(() => limiter.acquireNowait())).toEqual(other);
    });
  });

  test("or that of one simulation", async () => {
    const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 4 });
    await simulate(async () => {
      await limiter.acquire(4);
      await sleep(10);
    });
    expect(limiter.available).toBe(1);
    for (const runtime of [simulate, run]) {
      await runtime(async () => {
        expect(await rejectionOf(limiter.acquire())).toEqual(other);
        expect(thrownBy(() => limiter.acquireNowait())).toEqual(other);
      });
    }
    expect(limiter.statistics()).toEqual({ available: 1, tasksWaiting: 0 });
  });

  test("an acquire() that was refused has not chosen it", async () => {
    const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 4 });
    await run(() => rejectionOf(limiter.acquire(5)));
    await simulate(() => limiter.acquire());
  });

  test("R12: with one timer while anyone waits, and none while nobody does", async () => {
    const runtime = new ManualRuntime();
    await run(
      async (nursery) => {
        const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 5 });
        await limiter.acquire(5);
        expect(runtime.timers.size).toBe(0);
        const scopes = asking(nursery, limiter, { a: 2, b: 5, c: 1, d: 1 }, []);
        await runtime.pass(1);
        const due = () => [...runtime.timers].map(({ at }) => at);
        expect(due()).toEqual([20]);
        const [timer] = runtime.timers;
        scopes[2]?.cancel();
        expect([...runtime.timers][0]).toBe(timer);
        scopes[0]?.cancel();
        expect(due()).toEqual([50]);
        scopes[1]?.cancel();
        expect(due()).toEqual([10]);
        await runtime.pass(9);
        expect([due(), limiter.statistics()]).toEqual([[], { available: 0, tasksWaiting: 0 }]);
        const [last] = asking(nursery, limiter, { last: 1 }, []);
        await runtime.pass(1);
        expect(due()).toEqual([20]);
        last?.cancel();
        expect(due()).toEqual([]);
      },
      { runtime },
    );
    expect(runtime.timers.size).toBe(0);
  });

  test("R12: and without a listener on a foreign signal", async () => {
    const limiter = new RateLimiter({ limit: 1, interval: 1e9, burst: 2 });
    const { signal } = new AbortController();
    limiter.acquireNowait({ signal });
    await limiter.acquire({ signal });
    expect(thrownBy(() => limiter.acquireNowait({ signal }))).toBeInstanceOf(WouldBlock);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("where a timer is late, what comes after it is not: the rate is kept", async () => {
    const runtime = new ManualRuntime();
    const log: unknown[] = [];
    await run(
      async (nursery) => {
        const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 1 });
        await limiter.acquire();
        asking(nursery, limiter, { a: 1, b: 1, c: 1 }, log);
        await runtime.pass(0);
        await runtime.pass(17);
        expect(log).toEqual([["a", 17]]);
        await runtime.pass(3);
        expect(log).toEqual([
          ["a", 17],
          ["b", 20],
        ]);
        await runtime.pass(10);
      },
      { runtime },
    );
    expect(log).toEqual([
      ["a", 17],
      ["b", 20],
      ["c", 30],
    ]);
  });

  test("and who comes while a timer is late finds those served who were due before", async () => {
    const runtime = new ManualRuntime();
    const log: unknown[] = [];
    await run(
      async (nursery) => {
        const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 3 });
        await limiter.acquire(3);
        asking(nursery, limiter, { a: 1, b: 1 }, log);
        await runtime.pass(0);
        runtime.lag(45);
        // Two have been served, and two more have come since.
        await limiter.acquire(2);
        log.push(["newcomer", now()]);
        expect(limiter.available).toBe(0);
      },
      { runtime },
    );
    expect(log).toEqual([
      ["a", 45],
      ["b", 45],
      ["newcomer", 45],
    ]);
  });
});
