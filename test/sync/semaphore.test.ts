import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Semaphore, sleep, UsageError, WouldBlock } from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

describe("SE1: the numbers of a semaphore are whole and not negative:", () => {
  const what = "the initial value of a semaphore is a whole number";
  const wrong: [value: unknown, error: Error][] = [
    [-1, new RangeError(`${what} that is not negative, not -1`)],
    [1.5, new RangeError(`${what} that is not negative, not 1.5`)],
    [Number.NaN, new RangeError(`${what} that is not negative, not NaN`)],
    [Number.POSITIVE_INFINITY, new RangeError(`${what} that is not negative, not Infinity`)],
    ["1", new TypeError(`${what}, not "1"`)],
    [undefined, new TypeError(`${what}, not undefined`)],
    [1n, new TypeError(`${what}, not 1`)],
  ];
  for (const [value, error] of wrong) {
    test(`${typeof value} ${String(value)}`, () => expect(thrownBy(() => new Semaphore(value as number))).toEqual(error));
  }

  test("`max`, too, which is not below the initial value", () => {
    const max = (value: unknown) => thrownBy(() => new Semaphore(1, { max: value as number }));
    expect(max(-1)).toEqual(new RangeError("`max` of a semaphore is a whole number that is not negative, not -1"));
    expect(max("2")).toEqual(new TypeError('`max` of a semaphore is a whole number, not "2"'));
    expect(max(0)).toEqual(new RangeError("the initial value of a semaphore is not above its `max`"));
    expect(new Semaphore(1, { max: 1 }).value).toBe(1);
    expect(new Semaphore(1, {}).value).toBe(1);
  });
});

describe("SE1: release()", () => {
  test("above `max` is an error, and changes nothing", () => {
    const semaphore = new Semaphore(1, { max: 2 });
    semaphore.release();
    expect(thrownBy(() => semaphore.release())).toEqual(
      new UsageError("the semaphore was released too many times: all of its 2 permits are free"),
    );
    expect(semaphore.value).toBe(2);
  });

  test("without `max` may be called by anyone, any number of times", () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.nat({ max: 20 }), (initial, n) => {
        const semaphore = new Semaphore(initial);
        for (let i = 0; i < n; i++) semaphore.release();
        expect(semaphore.value).toBe(initial + n);
      }),
    );
  });

  test("to a waiter is none too many: `max` are not free then", async () => {
    await simulate(async (nursery) => {
      const semaphore = new Semaphore(0, { max: 0 });
      let has = false;
      nursery.startSoon(async () => {
        await semaphore.acquire();
        has = true;
      });
      await sleep(1);
      semaphore.release();
      await sleep(1);
      expect([has, semaphore.value]).toEqual([true, 0]);
      expect(thrownBy(() => semaphore.release())).toBeInstanceOf(UsageError);
    });
  });
});

test("a permit belongs to nobody: another task may give it back, and one task may take several", async () => {
  await simulate(async (nursery) => {
    const semaphore = new Semaphore(2);
    await semaphore.acquire();
    await semaphore.acquire();
    nursery.startSoon(() => sleep(5).then(() => semaphore.release()));
    await semaphore.acquire();
    expect(semaphore.value).toBe(0);
  });
});

test("acquireNowait() takes a permit, or throws at once", () => {
  const semaphore = new Semaphore(1);
  semaphore.acquireNowait();
  expect(thrownBy(() => semaphore.acquireNowait())).toEqual(new WouldBlock("no permit of the semaphore is free"));
  expect(semaphore.value).toBe(0);
});

test("statistics() tell how many are free, and how many wait", async () => {
  await simulate(async (nursery) => {
    const semaphore = new Semaphore(1);
    expect(semaphore.statistics()).toEqual({ value: 1, tasksWaiting: 0 });
    await semaphore.acquire();
    for (let i = 0; i < 2; i++) nursery.startSoon(() => semaphore.run(() => {}));
    await sleep(1);
    expect(semaphore.statistics()).toEqual({ value: 0, tasksWaiting: 2 });
    semaphore.release();
  });
});
