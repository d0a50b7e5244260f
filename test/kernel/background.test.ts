import { describe, expect, test } from "vitest";
import { CancelScope, moveOnAfter, type Nursery, now, openNursery, shield, sleep, sleepForever, type Task } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf } from "./support.js";

const background = { background: true };

describe("a background task", () => {
  test("does not keep its nursery open: it is cancelled when the body and all other tasks have ended", async () => {
    await simulate(async () => {
      let ended = -1;
      await openNursery(async (nursery) => {
        nursery.startSoon(
          () =>
            sleepForever().finally(() => {
              ended = now();
            }),
          background,
        );
        nursery.startSoon(() => sleep(20));
        await sleep(10);
      });
      expect([ended, now()]).toEqual([20, 20]);
    });
  });

  test("is waited for all the same: its nursery ends after it has cleaned up", async () => {
    await simulate(async () => {
      await openNursery((nursery) => {
        nursery.startSoon(() => sleepForever().finally(() => shield(() => sleep(5))), background);
      });
      expect(now()).toBe(5);
    });
  });

  test("begins also if nothing else is in the nursery, and runs up to its first checkpoint", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(async () => {
          log.push("begun");
          await sleepForever();
        }, background);
      }),
    );
    expect(log).toEqual(["begun"]);
  });

  test("that ends before by itself is a task as any other", async () => {
    await simulate(() =>
      openNursery(async (nursery) => {
        const task = nursery.startSoon(() => sleep(5).then(() => "value"), background);
        expect(await task.join()).toBe("value");
      }),
    );
  });

  test("that fails cancels its nursery, as any other; also while it is told to end", async () => {
    const boom = new Error("boom");
    await simulate(async () => {
      const early = openNursery(async (nursery) => {
        nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)), background);
        await sleepForever();
      });
      expect(await rejectionOf(early)).toBe(boom);
      const late = openNursery((nursery) => {
        nursery.startSoon(() => sleepForever().catch(() => Promise.reject(boom)), background);
      });
      expect(await rejectionOf(late)).toBe(boom);
    });
  });

  test("does not keep another one alive: all are told at once, in the order of their starts", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery((nursery) => {
        for (const name of ["a", "b"]) nursery.startSoon(() => sleepForever().finally(() => log.push(name)), background);
      }),
    );
    expect(log).toEqual(["a", "b"]);
  });

  test("may start another task while it ends: that is waited for", async () => {
    await simulate(async () => {
      await openNursery((nursery) => {
        nursery.startSoon(async () => {
          await sleepForever().catch(() => {});
          nursery.startSoon(() => sleep(10));
        }, background);
      });
      expect(now()).toBe(10);
    });
  });

  test("that is started while the others are told to end is told, too", async () => {
    await simulate(async () => {
      await openNursery((nursery) => {
        nursery.startSoon(async () => {
          await sleepForever().catch(() => {});
          nursery.startSoon(() => sleepForever(), background);
        }, background);
      });
      expect(now()).toBe(0);
    });
  });

  test("its own tasks end with it", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(async () => {
          await openNursery(async (inner) => {
            inner.startSoon(() => sleepForever().finally(() => log.push("inner")));
            await sleepForever();
          });
        }, background);
        return sleep(1);
      }),
    );
    expect(log).toEqual(["inner"]);
  });

  test("is told by a cancellation of its own, so joining it is joining a task that was cancelled", async () => {
    await simulate(async () => {
      let task: Task | undefined;
      let nursery: Nursery | undefined;
      await openNursery((own) => {
        nursery = own;
        task = own.startSoon(() => sleepForever(), background);
      });
      expect([task?.state, task?.cancelledCaught, nursery?.cancelCalled]).toEqual(["cancelled", true, false]);
    });
  });

  test("R17: does not hold up the end of a nursery by waiting in a scope that it has opened in the nursery itself", async () => {
    await simulate(async () => {
      await moveOnAfter(1_000, () =>
        openNursery(async (nursery) => {
          nursery.startSoon(() => new CancelScope().run(() => sleepForever(), nursery), background);
          await sleep(1);
        }),
      );
      expect(now()).toBe(1);
    });
  });
});
