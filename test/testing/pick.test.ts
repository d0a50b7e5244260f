import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { checkpoint, DeadlockError, now, shield, sleep, sleepForever, UsageError } from "../../src/index.js";
import { rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const boom = new Error("boom");

describe("a `pick` that says what cannot be", () => {
  /** Two tasks that clean up, under a foreign signal: whatever becomes of the schedule, they end. */
  const spoilt = async (pick: (n: number) => unknown): Promise<{ error: unknown; log: string[]; unhandled: unknown[]; left: number }> => {
    const log: string[] = [];
    const { signal } = new AbortController();
    let error: unknown;
    const unhandled = await unhandledDuring(async () => {
      error = await rejectionOf(
        simulate(
          (nursery) => {
            for (const name of ["a", "b"]) {
              nursery.startSoon(async () => {
                try {
                  await sleep(1e6);
                } finally {
                  await shield(() => sleep(5));
                  log.push(`${name} at ${now()}`);
                }
              });
            }
          },
          { pick: pick as (n: number) => number, signal },
        ),
      );
    });
    return { error, log, unhandled, left: getEventListeners(signal, "abort").length };
  };
  const cleanedUp = ["a at 5", "b at 5"];

  for (const [returned, told] of [
    [2, "2"],
    [-1, "-1"],
    [0.5, "0.5"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [undefined, "undefined"],
    ["0", '"0"'],
    [Promise.resolve(0), "a Promise"],
    [Symbol("zero"), "Symbol(zero)"],
  ]) {
    test(`is a RangeError with which simulate() rejects, after everything has ended: ${String(told)}`, async () => {
      const { error, ...rest } = await spoilt(() => returned);
      const message = `the schedule chose ${String(told)} of 2: it is to say which ready wake-up goes on, an integer from 0 to 1`;
      expect(error).toEqual(new RangeError(message));
      expect(error).toBeInstanceOf(RangeError);
      expect(rest).toEqual({ log: cleanedUp, unhandled: [], left: 0 });
    });
  }

  test("at any step, also one of those after the end of the body, does not hang: it is told, and the rest goes on in order", async () => {
    let total = 0;
    await spoilt(() => {
      total++;
      return 0;
    }).catch(() => {});
    expect(total).toBeGreaterThan(2);
    for (let at = 0; at < total; at++) {
      let i = 0;
      const { error, log, unhandled, left } = await spoilt((n) => (i++ === at ? n : 0));
      expect(error).toMatchObject({ name: "RangeError" });
      expect(log.map((line) => line.slice(0, 1)).sort()).toEqual(["a", "b"]);
      expect([unhandled, left]).toEqual([[], 0]);
      // It is not asked again.
      expect(i).toBe(at + 1);
    }
  });

  test("because it throws: simulate() rejects with that error", async () => {
    const { error, ...rest } = await spoilt(() => {
      throw boom;
    });
    expect(error).toBe(boom);
    expect(rest).toEqual({ log: cleanedUp, unhandled: [], left: 0 });
  });

  test("where what is left cannot end: it is abandoned, as in a deadlock", async () => {
    const stuck = simulate(() => shield(() => Promise.all([checkpoint(), checkpoint()]).then(() => sleepForever())), { pick: () => 7 });
    expect(await rejectionOf(stuck)).toMatchObject({ name: "RangeError" });
  });

  test("at the very end, where only what floated is left: that is told of its end all the same", async () => {
    const log: string[] = [];
    let isOver = false;
    const ending = simulate(
      (nursery) => {
        for (const name of ["a", "b"]) sleepForever().catch(() => log.push(name));
        nursery.defer(() => {
          isOver = true;
        });
      },
      { pick: (n) => (isOver ? n : 0) },
    );
    expect(await rejectionOf(ending)).toMatchObject({ name: "RangeError" });
    expect(log).toEqual(["a", "b"]);
  });

  test("while something waits behind a shield: that ends first", async () => {
    const log: string[] = [];
    const ending = simulate(
      () =>
        shield(async () => {
          void sleepForever();
          await Promise.all([sleep(5), sleep(5)]);
          log.push("cleaned up");
        }),
      { pick: () => 2 },
    );
    expect(await rejectionOf(ending)).toMatchObject({ name: "RangeError" });
    expect(log).toEqual(["cleaned up"]);
  });

  test("after a deadlock, which is what is told", async () => {
    let isStuck = false;
    const stuck = simulate(
      () =>
        sleepForever().finally(() => {
          isStuck = true;
          return shield(() => sleep(5));
        }),
      { pick: (n) => (isStuck ? n : 0) },
    );
    expect(await rejectionOf(stuck)).toBeInstanceOf(DeadlockError);
    expect(isStuck).toBe(true);
  });

  test("is told rather than a failure that follows", async () => {
    const failing = simulate(() => Promise.all([checkpoint(), checkpoint()]).then(() => Promise.reject(boom)), { pick: () => 2 });
    expect(await rejectionOf(failing)).toMatchObject({ name: "RangeError" });
  });

  test("because it is no function, or the body is none: nothing begins", async () => {
    const body = vi.fn();
    const error = await rejectionOf(simulate(body, { pick: 3 as never }));
    expect(error).toEqual(new UsageError("simulate({ pick }) takes a function, not 3"));
    expect(body).not.toHaveBeenCalled();
    expect(await rejectionOf(simulate(3 as never))).toEqual(new UsageError("simulate() takes a function, not 3"));
  });
});
