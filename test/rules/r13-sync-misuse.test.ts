import { expect, test } from "vitest";
import {
  BrokenResourceError,
  CapacityLimiter,
  checkpoint,
  Lock,
  openNursery,
  Semaphore,
  sleep,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { refusal, rejection, thrown, untyped } from "./r13-refusal.js";

test("releasing a lock that nobody has, and one that another task has; the owner keeps it", async () => {
  await simulate(async (nursery) => {
    const lock = new Lock();
    const free = thrown(() => lock.release());
    expect(free).toBeInstanceOf(UsageError);
    expect(free.message).toMatch(/ releases a lock that it does not have; nobody has it$/);
    const owner = nursery.startSoon(() => lock.run(() => sleep(5)), { name: "owner" });
    await sleep(1);
    const held = thrown(() => lock.release());
    expect(held).toBeInstanceOf(UsageError);
    expect(held.message).toMatch(/ releases a lock that it does not have; .*owner has it$/);
    expect(lock.statistics().owner).toBe(owner);
    await lock.run(() => checkpoint());
    expect(lock.isLocked).toBe(false);
  });
});

test("acquiring a lock twice; it is still held once, and released once", async () => {
  await simulate(async () => {
    const lock = new Lock();
    await lock.acquire();
    for (const error of [
      await refusal(() => lock.acquire()),
      thrown(() => lock.acquireNowait()),
      await refusal(() => lock.run(() => {})),
    ]) {
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/ has this lock already; it is not re-entrant$/);
    }
    lock.release();
    expect([lock.isLocked, lock.statistics().tasksWaiting]).toEqual([false, 0]);
    await lock.acquire();
    lock.release();
  });
});

test("a scope inside the owner's task is the owner's: it cannot acquire twice, and may release", async () => {
  await simulate(async (nursery) => {
    const lock = new Lock();
    await nursery
      .startSoon(async (task) => {
        await lock.acquire();
        await openNursery(async (inner) => {
          expect(await refusal(() => lock.acquire(inner))).toBeInstanceOf(UsageError);
          const other = inner.startSoon(async () => thrown(() => lock.release()));
          expect(await other.join()).toBeInstanceOf(UsageError);
          expect(lock.statistics().owner).toBe(task);
          lock.release(inner);
        });
        expect(lock.isLocked).toBe(false);
      })
      .join();
  });
});

test("a task that ends with a lock in its hand breaks it, for who waits and for who comes", async () => {
  await simulate(async (nursery) => {
    const lock = new Lock();
    nursery.startSoon(() => lock.acquire().then(() => sleep(1)), { name: "owner" });
    await checkpoint();
    const waiting = nursery.startSoon(() => rejection(() => lock.acquire()));
    for (const error of [await waiting.join(), await rejection(() => lock.acquire()), thrown(() => lock.acquireNowait())]) {
      expect(error).toBeInstanceOf(BrokenResourceError);
      expect(error.message).toMatch(
        /^the task .*owner ended without releasing this lock, .* Release it in a finally, or use lock\.run\(\)$/,
      );
    }
    expect(lock.isLocked).toBe(false);
  });
});

test("borrowing from a limiter twice, and giving back what was not borrowed; the tokens are counted right", async () => {
  await simulate(async () => {
    const limiter = new CapacityLimiter(2);
    const early = thrown(() => limiter.release());
    expect(early).toBeInstanceOf(UsageError);
    expect(early.message).toMatch(/ gives back a token that it has not borrowed$/);
    await limiter.acquire();
    for (const error of [
      await refusal(() => limiter.acquire()),
      thrown(() => limiter.acquireNowait()),
      await refusal(() => limiter.run(() => {})),
    ]) {
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/ has a token of this limiter already; a task borrows one at a time$/);
    }
    expect([limiter.borrowed, limiter.available]).toEqual([1, 1]);
    limiter.release();
    expect(thrown(() => limiter.release())).toBeInstanceOf(UsageError);
    expect([limiter.borrowed, limiter.available, limiter.statistics().tasksWaiting]).toEqual([0, 2, 0]);
  });
});

test("releasing a semaphore above its max", async () => {
  await simulate(async () => {
    const semaphore = new Semaphore(1, { max: 2 });
    semaphore.release();
    const error = thrown(() => semaphore.release());
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe("the semaphore was released too many times: all of its 2 permits are free");
    expect(semaphore.value).toBe(2);
  });
});

test("what is not free at once is no misuse: WouldBlock", async () => {
  await simulate(async (nursery) => {
    const [lock, semaphore, limiter] = [new Lock(), new Semaphore(1), new CapacityLimiter(1)];
    nursery.startSoon(() => lock.run(() => semaphore.run(() => limiter.run(() => sleep(5)))));
    await sleep(1);
    for (const call of [() => lock.acquireNowait(), () => semaphore.acquireNowait(), () => limiter.acquireNowait()]) {
      const error = thrown(call);
      expect(error).toBeInstanceOf(WouldBlock);
      expect(error).not.toBeInstanceOf(UsageError);
    }
  });
});

test.each(["lock", "semaphore", "limiter"] as const)("%s.run() of what is no function takes nothing", async (kind) => {
  await simulate(async () => {
    const resource = { lock: new Lock(), semaphore: new Semaphore(1), limiter: new CapacityLimiter(1) }[kind];
    expect((await rejection(() => resource.run(untyped(Promise.resolve())))).message).toMatch(/takes a function, and got a promise/);
    expect(await rejection(() => resource.run(untyped(5)))).toBeInstanceOf(UsageError);
    resource.acquireNowait();
    resource.release();
  });
});

test("counts that are no counts", () => {
  const limiter = new CapacityLimiter(1);
  const setTotal = (total: number) => {
    limiter.total = total;
  };
  for (const value of [-1, 1.5, Number.NaN, -0.5, Number.NEGATIVE_INFINITY]) {
    for (const call of [
      () => new Semaphore(value),
      () => new Semaphore(0, { max: value }),
      () => new CapacityLimiter(value),
      () => setTotal(value),
    ]) {
      const error = thrown(call);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(/ is a whole number that is not negative(, or Infinity)?, not -?[\w.]+$/);
    }
  }
  for (const value of ["1", null, {}, 1n, [1]]) {
    const count = untyped<number>(value);
    for (const call of [
      () => new Semaphore(count),
      () => new Semaphore(0, { max: count }),
      () => new CapacityLimiter(count),
      () => setTotal(count),
    ]) {
      const error = thrown(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/ is a whole number, not /);
    }
  }
  expect(thrown(() => new Semaphore(Number.POSITIVE_INFINITY))).toBeInstanceOf(RangeError);
  expect(thrown(() => new Semaphore(3, { max: 2 })).message).toBe("the initial value of a semaphore is not above its `max`");
  expect(limiter.total).toBe(1);
  setTotal(Number.POSITIVE_INFINITY);
  expect(limiter.available).toBe(Number.POSITIVE_INFINITY);
});
