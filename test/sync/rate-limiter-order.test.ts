import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, now, openNursery, RateLimiter, sleep, WouldBlock } from "../../src/index.js";
import { reasonOf, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { asking } from "./rate-limiter-support.js";

const tooFew = new WouldBlock("there are too few tokens in the rate limiter, or others wait for them");

describe("FA1, R11: first come, first served:", () => {
  test("who asks for many is not overtaken by who asks for few", async () => {
    const log: unknown[] = [];
    await simulate(async (nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 5 });
      limiter.acquireNowait(4);
      asking(nursery, limiter, { many: 5, few: 1, none: 0, some: 2 }, log);
      await sleep(1);
      expect(limiter.statistics()).toEqual({ available: 1, tasksWaiting: 4 });
      expect(thrownBy(() => limiter.acquireNowait())).toEqual(tooFew);
      expect(thrownBy(() => limiter.acquireNowait(0))).toEqual(tooFew);
    });
    expect(log).toEqual([
      ["many", 40],
      ["few", 50],
      ["none", 50],
      ["some", 70],
    ]);
  });

  test("what is due at one instant is served in one", async () => {
    const log: unknown[] = [];
    await simulate((nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 3 });
      limiter.acquireNowait(3);
      asking(nursery, limiter, { a: 3, b: 0, c: 0, d: 1 }, log);
    });
    expect(log).toEqual([
      ["a", 30],
      ["b", 30],
      ["c", 30],
      ["d", 40],
    ]);
  });
});

describe("CL3, R6: an acquire() that is cancelled", () => {
  test("has taken nothing", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 2 });
      await limiter.acquire(2);
      expect(await moveOnAfter(15, () => limiter.acquire(2).then(() => "got it"))).toBe(undefined);
      expect(limiter.statistics()).toEqual({ available: 1, tasksWaiting: 0 });
      await limiter.acquire(2);
      expect(now()).toBe(20);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(limiter.acquire())).toBe(reasonOf(scope));
      });
      await sleep(10);
      expect(limiter.available).toBe(1);
    });
  });

  test("lets the next ones go on at the same instant, if there is enough for them", async () => {
    const log: unknown[] = [];
    await simulate(async (nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 5 });
      limiter.acquireNowait(5);
      const [first, , third] = asking(nursery, limiter, { first: 5, second: 1, third: 4, fourth: 1 }, log);
      await sleep(33);
      first?.cancel();
      await sleep(1);
      expect(limiter.statistics()).toEqual({ available: 2, tasksWaiting: 2 });
      third?.cancel();
    });
    expect(log).toEqual([
      ["second", 33],
      ["fourth", 34],
    ]);
  });

  test("leaves the order and the instants of the others as they are, if it was not the first", async () => {
    const log: unknown[] = [];
    await simulate(async (nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 2 });
      limiter.acquireNowait(2);
      const scopes = asking(nursery, limiter, { first: 1, second: 2, third: 1 }, log);
      await sleep(5);
      scopes[1]?.cancel();
    });
    expect(log).toEqual([
      ["first", 10],
      ["third", 20],
    ]);
  });

  test("takes nothing for others who are cancelled with it: all of a cancellation is one", async () => {
    await simulate(async (nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 5 });
      limiter.acquireNowait(5);
      const log: unknown[] = [];
      const scope = new CancelScope();
      nursery.startSoon(() => scope.run(() => openNursery((inner) => void asking(inner, limiter, { many: 5, few: 1 }, log))));
      await sleep(20);
      scope.cancel();
      expect(limiter.statistics()).toEqual({ available: 2, tasksWaiting: 0 });
      await sleep(1);
      expect([log, limiter.available]).toEqual([[], 2]);
    });
  });

  test("at the very instant at which its tokens are there is cancelled: the deadline comes first", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 1 });
      await limiter.acquire();
      expect(await moveOnAfter(10, () => limiter.acquire().then(() => "got it"))).toBe(undefined);
      expect(limiter.available).toBe(1);
    });
  });

  test("after it was given its tokens has them", async () => {
    await simulate(async (nursery) => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 1 });
      limiter.acquireNowait();
      const log: unknown[] = [];
      const [scope] = asking(nursery, limiter, { a: 1 }, log);
      nursery.startSoon(async () => {
        await sleep(10);
        scope?.cancel();
      });
      await sleep(20);
      expect(log).toEqual([["a", 10]]);
    });
  });
});

test("loops that wait for it do not starve each other, and take turns", async () => {
  const log: string[] = [];
  await simulate((nursery) => {
    const limiter = new RateLimiter({ limit: 2, interval: 10, burst: 2 });
    for (const who of ["a", "b", "c"]) {
      nursery.startSoon(async () => {
        for (let i = 0; i < 3; i++) {
          await limiter.acquire();
          log.push(who);
          await checkpoint();
        }
      });
    }
  });
  expect(log.join("")).toBe("abcabcabc");
});
