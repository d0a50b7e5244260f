import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  currentTask,
  Lock,
  moveOnAfter,
  type Nursery,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

describe("LK1: a lock belongs to a task:", () => {
  test("it is not re-entrant, also not from scopes and nurseries inside the task", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      await nursery
        .startSoon(
          async () => {
            await lock.acquire();
            const error = new UsageError("root > worker has this lock already; it is not re-entrant");
            expect(await rejectionOf(lock.acquire())).toEqual(error);
            expect(thrownBy(() => lock.acquireNowait())).toEqual(error);
            expect(await rejectionOf(lock.run(() => {}))).toEqual(error);
            await shield(async () => expect(await rejectionOf(lock.acquire())).toEqual(error));
            await openNursery(async () => expect(await rejectionOf(lock.acquire())).toEqual(error));
            lock.release();
          },
          { name: "worker" },
        )
        .join();
    });
  });

  test("R13: also if it asks for it twice while it has to wait: an error as if it were free, where it would wait for itself", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      await lock.acquire();
      const asking = nursery.startSoon(async () => {
        const first = lock.acquire();
        const error = await rejectionOf(moveOnAfter(50, () => lock.acquire()));
        await first;
        lock.release();
        return error;
      });
      await sleep(1);
      lock.release();
      expect(await asking.join()).toBeInstanceOf(UsageError);
    });
  });

  test("only its owner releases it", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      expect(thrownBy(() => lock.release())).toEqual(new UsageError("main releases a lock that it does not have; nobody has it"));
      await lock.run(() =>
        nursery
          .startSoon(() =>
            expect(thrownBy(() => lock.release())).toEqual(
              new UsageError("root > task#1 releases a lock that it does not have; main has it"),
            ),
          )
          .join(),
      );
      expect(lock.isLocked).toBe(false);
    });
  });

  test("released elsewhere in the same task, by a scope inside it", async () => {
    await simulate(async () => {
      const lock = new Lock();
      await lock.acquire();
      await shield(() => lock.release());
      expect(lock.isLocked).toBe(false);
    });
  });

  test("taken for the task of the scope that is passed", async () => {
    await run(
      async (nursery) => {
        const lock = new Lock();
        const task = nursery.startSoon(async (own) => {
          lock.acquireNowait(own);
          expect(lock.statistics().owner).toBe(own);
          await sleep(1, own);
          lock.release(own);
          await lock.acquire(own);
          lock.release({ signal: own.signal });
        });
        await task.join(nursery);
        expect(lock.isLocked).toBe(false);
      },
      { ambient: false },
    );
  });

  test("under a foreign signal alone there is none", async () => {
    const { signal } = new AbortController();
    const lock = new Lock();
    const error = new UsageError("a lock belongs to a task, and there is none under a foreign signal alone: use it inside run()");
    expect(await rejectionOf(lock.acquire({ signal }))).toEqual(error);
    expect(thrownBy(() => lock.acquireNowait({ signal }))).toEqual(error);
    expect(thrownBy(() => lock.release({ signal }))).toEqual(error);
    expect(lock.isLocked).toBe(false);
  });
});

describe("LK2: a task that ends while it has a lock breaks it:", () => {
  const message = (owner: string) =>
    `the task ${owner} ended without releasing this lock, so what it guards may be in any state. Release it in a finally, or use lock.run()`;

  /** A lock that a task has taken and not released; it ends after 5 ms, as `ending` says. */
  async function abandoned(nursery: Nursery, ending: () => unknown): Promise<Lock> {
    const lock = new Lock();
    nursery.startSoon(
      async () => {
        await lock.acquire();
        await sleep(5);
        await ending();
      },
      { name: "owner" },
    );
    await sleep(1);
    return lock;
  }

  test("those who wait for it, and all who come later, get a BrokenResourceError", async () => {
    await simulate(async (nursery) => {
      const lock = await abandoned(nursery, () => {});
      const error = new BrokenResourceError(message("root > owner"));
      const waiting = [
        rejectionOf(lock.acquire()),
        rejectionOf(
          nursery
            .startSoon(() => lock.acquire().catch((e) => Promise.resolve(e)))
            .join()
            .then((e) => Promise.reject(e)),
        ),
      ];
      for (const each of waiting) expect(await each).toEqual(error);
      expect(await rejectionOf(lock.acquire())).toEqual(error);
      expect(thrownBy(() => lock.acquireNowait())).toEqual(error);
      expect(await rejectionOf(lock.run(() => {}))).toEqual(error);
      expect(lock.statistics()).toEqual({ locked: false, owner: undefined, tasksWaiting: 0 });
    });
  });

  test("also if it was cancelled, or has failed", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      for (const ending of [() => Promise.reject(boom), () => currentTask().cancel()]) {
        let lock: Lock | undefined;
        await openNursery(async (nursery) => {
          lock = await abandoned(nursery, ending);
          await shield(() => sleep(10));
        }).catch(() => {});
        expect(await rejectionOf((lock as Lock).acquire())).toEqual(new BrokenResourceError(message("root > nursery > owner")));
      }
    });
  });

  test("every lock that it has, and none that it had released", async () => {
    await simulate(async (nursery) => {
      const locks = [1, 2, 3, 4, 5].map(() => new Lock());
      await nursery
        .startSoon(async () => {
          for (const lock of locks) await lock.acquire();
          for (const i of [2, 0, 4]) locks[i]?.release();
        })
        .join();
      const isBroken = await Promise.all(
        locks.map((lock) =>
          shield(() =>
            lock.acquire().then(
              () => false,
              (error) => error instanceof BrokenResourceError,
            ),
          ),
        ),
      );
      expect(isBroken).toEqual([false, true, false, true, false]);
      for (const i of [2, 0, 4]) locks[i]?.release();
    });
  });

  test("the body of run() is a task, too", async () => {
    const lock = new Lock();
    await run(() => lock.acquire());
    await run(async () => {
      expect(await rejectionOf(lock.acquire())).toEqual(new BrokenResourceError(message("main")));
    });
  });

  test("not before what is in the task has ended, and its cleanups have run: they may release it", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      await nursery
        .startSoon(async (task) => {
          await lock.acquire();
          task.defer(() => lock.release());
        })
        .join();
      await lock.run(() => {});
    });
  });
});

test("LK3: handing over moves the ownership: the old owner may end, the new one breaks it", async () => {
  await simulate(async (nursery) => {
    const lock = new Lock();
    const owners: (Task | undefined)[] = [];
    const first = nursery.startSoon(async () => {
      await lock.acquire();
      owners.push(lock.statistics().owner);
      await sleep(5);
      lock.release();
      owners.push(lock.statistics().owner);
    });
    const second = nursery.startSoon(
      async () => {
        await sleep(1);
        await lock.acquire();
        await sleep(5);
      },
      { name: "second" },
    );
    await first.join();
    expect(owners).toEqual([first, second]);
    expect(lock.isLocked).toBe(true);
    await second.join();
    expect(await rejectionOf(lock.acquire())).toMatchObject({
      name: "BrokenResourceError",
      message: expect.stringContaining("root > second"),
    });
  });
});

test("LK4: statistics() tell whether it is locked, by whom, and how many wait", async () => {
  await simulate(async (nursery) => {
    const lock = new Lock();
    expect(lock.statistics()).toEqual({ locked: false, owner: undefined, tasksWaiting: 0 });
    await lock.acquire();
    nursery.startSoon(() => lock.run(() => {}));
    await sleep(1);
    expect(lock.statistics()).toEqual({ locked: true, owner: currentTask(), tasksWaiting: 1 });
    lock.release();
  });
});

describe("acquireNowait()", () => {
  test("takes a free lock, or throws at once", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      lock.acquireNowait();
      const other = nursery.startSoon(() => thrownBy(() => lock.acquireNowait()));
      expect(await other.join()).toEqual(new WouldBlock("the lock is held by another task"));
      lock.release();
    });
  });

  test("works in a cancelled scope, as release() does: giving back is always possible", async () => {
    await simulate((nursery) =>
      nursery
        .startSoon(async (task) => {
          const lock = new Lock();
          task.cancel();
          lock.acquireNowait();
          await sleepForever().catch(() => {});
          lock.release();
        })
        .join(),
    );
  });
});
