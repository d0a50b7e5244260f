import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CapacityLimiter,
  currentTask,
  moveOnAfter,
  type Nursery,
  run,
  shield,
  sleep,
  sleepForever,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const never = Number.POSITIVE_INFINITY;

describe("CL1: a limiter knows who has what:", () => {
  test("a task borrows one token at a time", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(2);
      await limiter.acquire();
      const error = new UsageError("main has a token of this limiter already; a task borrows one at a time");
      expect(await rejectionOf(limiter.acquire())).toEqual(error);
      expect(thrownBy(() => limiter.acquireNowait())).toEqual(error);
      await shield(async () => expect(await rejectionOf(limiter.run(() => {}))).toEqual(error));
      expect(limiter.borrowed).toBe(1);
      limiter.release();
    });
  });

  test("also if it asks for two while it has to wait: it gets one, and the other is an error", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(0);
      const asking = nursery.startSoon(() => Promise.allSettled([limiter.acquire(), limiter.acquire()]));
      await sleep(1);
      limiter.total = 2;
      const [first, second] = await asking.join();
      expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
      expect(limiter.borrowed).toBe(1);
    });
  });

  test("and gives back its own", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(2);
      await limiter.acquire();
      const other = nursery.startSoon(() => thrownBy(() => limiter.release()), { name: "other" });
      expect(await other.join()).toEqual(new UsageError("root > other gives back a token that it has not borrowed"));
      limiter.release();
      expect(thrownBy(() => limiter.release())).toEqual(new UsageError("main gives back a token that it has not borrowed"));
    });
  });

  test("for the task of the scope that is passed", async () => {
    await run(
      async (nursery) => {
        const limiter = new CapacityLimiter(1);
        await nursery
          .startSoon(async (task) => {
            limiter.acquireNowait(task);
            expect(limiter.statistics().borrowers).toEqual([task]);
            limiter.release(task);
            await limiter.acquire(task);
            limiter.release({ signal: task.signal });
          })
          .join(nursery);
        expect(limiter.borrowed).toBe(0);
      },
      { ambient: false },
    );
  });

  test("under a foreign signal alone there is no task", async () => {
    const { signal } = new AbortController();
    const limiter = new CapacityLimiter(1);
    const error = new UsageError("a token belongs to a task, and there is none under a foreign signal alone: use it inside run()");
    expect(await rejectionOf(limiter.acquire({ signal }))).toEqual(error);
    expect(thrownBy(() => limiter.acquireNowait({ signal }))).toEqual(error);
  });
});

describe("CL2: the total is a whole number that is not negative, or Infinity:", () => {
  const wrong: [total: unknown, error: Error][] = [
    [-1, new RangeError("the total of a limiter is a whole number that is not negative, or Infinity, not -1")],
    [0.5, new RangeError("the total of a limiter is a whole number that is not negative, or Infinity, not 0.5")],
    [Number.NaN, new RangeError("the total of a limiter is a whole number that is not negative, or Infinity, not NaN")],
    [-never, new RangeError("the total of a limiter is a whole number that is not negative, or Infinity, not -Infinity")],
    ["8", new TypeError('the total of a limiter is a whole number, not "8"')],
  ];
  for (const [total, error] of wrong) {
    test(`${typeof total} ${String(total)}`, () => {
      expect(thrownBy(() => new CapacityLimiter(total as number))).toEqual(error);
      const limiter = new CapacityLimiter(1);
      expect(
        thrownBy(() => {
          limiter.total = total as number;
        }),
      ).toEqual(error);
      expect(limiter.total).toBe(1);
    });
  }

  test("0 lets nobody in", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(0);
      expect(thrownBy(() => limiter.acquireNowait())).toEqual(new WouldBlock("no token of the limiter is free"));
      expect(await moveOnAfter(5, () => limiter.run(() => "in"))).toBe(undefined);
    });
  });

  test("Infinity lets everybody in, and there are always more", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(never);
      for (let i = 0; i < 100; i++) nursery.startSoon(() => limiter.run(() => sleep(5)));
      await sleep(1);
      expect([limiter.borrowed, limiter.available]).toEqual([100, never]);
    });
  });
});

describe("CL2: the total may be moved at any time:", () => {
  function borrow(nursery: Nursery, limiter: CapacityLimiter, n: number): void {
    for (let i = 0; i < n; i++) nursery.startSoon(() => limiter.run(() => sleepForever()), { background: true });
  }

  test("raising it lets waiting tasks in at once, in order, as many as there is room for", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(1);
      borrow(nursery, limiter, 5);
      await sleep(1);
      limiter.total = 3;
      expect([limiter.borrowed, limiter.statistics().tasksWaiting]).toEqual([3, 2]);
      expect(limiter.statistics().borrowers).toEqual([...nursery.tasks].slice(0, 3));
    });
  });

  test("lowering it takes nothing away, and lets nobody in until enough have been given back", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(3);
      const ends = [5, 10, 15].map((ms) => nursery.startSoon(() => limiter.run(() => sleep(ms))));
      await sleep(1);
      let inAt = "waits";
      nursery.startSoon(async () => {
        await limiter.run(() => {
          inAt = `in with ${limiter.borrowed}`;
        });
      });
      limiter.total = 1;
      expect([limiter.borrowed, limiter.available]).toEqual([3, -2]);
      await ends[1]?.join();
      expect(inAt).toBe("waits");
      await ends[2]?.join();
      await sleep(1);
      expect(inAt).toBe("in with 1");
    });
  });

  test("however it is moved: nobody is let in beyond it, and nobody waits while there is room", async () => {
    const moves = fc.array(fc.record({ at: fc.nat({ max: 20 }), to: fc.oneof(fc.nat({ max: 6 }), fc.constant(never)) }), { maxLength: 6 });
    const tasks = fc.array(fc.record({ arrives: fc.nat({ max: 10 }), holds: fc.nat({ max: 5 }) }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 4 }), moves, tasks, async (total, changes, contenders) => {
        const limiter = new CapacityLimiter(total);
        const check = () => {
          const { tasksWaiting } = limiter.statistics();
          if (tasksWaiting > 0) expect(limiter.available).toBeLessThan(1);
        };
        await simulate(async (nursery) => {
          for (const { at, to } of changes) {
            nursery.startSoon(async () => {
              await sleep(at);
              const before = limiter.borrowed;
              limiter.total = to;
              expect(limiter.borrowed).toBeGreaterThanOrEqual(before);
              expect(limiter.borrowed).toBeLessThanOrEqual(Math.max(before, to));
              check();
            });
          }
          for (const { arrives, holds } of contenders) {
            nursery.startSoon(async () => {
              await sleep(arrives);
              await moveOnAfter(50, () =>
                limiter.run(async () => {
                  check();
                  await sleep(holds);
                }),
              );
              check();
            });
          }
        });
        expect([limiter.borrowed, limiter.statistics().tasksWaiting]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
  });
});

test("FA3: acquireNowait() does not get in before those who wait, also if there is room", async () => {
  await simulate(async (nursery) => {
    const limiter = new CapacityLimiter(1);
    await limiter.acquire();
    nursery.startSoon(() => limiter.run(() => sleep(5)));
    await sleep(1);
    limiter.release();
    expect(thrownBy(() => limiter.acquireNowait())).toBeInstanceOf(WouldBlock);
  });
});

test("statistics() tell the total, who has borrowed, and how many wait", async () => {
  await simulate(async (nursery) => {
    const limiter = new CapacityLimiter(1);
    expect(limiter.statistics()).toEqual({ total: 1, borrowed: 0, borrowers: [], tasksWaiting: 0 });
    await limiter.acquire();
    nursery.startSoon(() => limiter.run(() => {}));
    await sleep(1);
    expect(limiter.statistics()).toEqual({ total: 1, borrowed: 1, borrowers: [currentTask()], tasksWaiting: 1 });
    limiter.release();
  });
});
