import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  CancelScope,
  Condition,
  currentTask,
  DeadlockError,
  Lock,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, thrownBy, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { waiting } from "./condition-support.js";

describe("a lock that breaks", () => {
  const message =
    "the task root > owner ended without releasing this lock, so what it guards may be in any state. Release it in a finally, or use lock.run()";

  /** Its owner ends after 10 ms. */
  function breaking(nursery: Nursery, lock: Lock): void {
    nursery.startSoon(
      async () => {
        await lock.acquire();
        await sleep(10);
      },
      { name: "owner" },
    );
  }

  test("takes all with it who wait for a notification, which nobody could send any more", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      const conditions = [new Condition(lock), new Condition(lock), new Condition(lock)];
      const errors = [0, 1, 1].map((i) => {
        const condition = conditions[i] as Condition;
        return nursery.startSoon(async () => {
          await condition.acquire();
          const error = await rejectionOf(condition.wait());
          return [
            now(),
            error,
            thrownBy(() => condition.release()),
            thrownBy(() => condition.notify()),
            await rejectionOf(condition.wait()),
          ];
        });
      });
      await sleep(1);
      breaking(nursery, lock);
      const broken = new BrokenResourceError(message);
      for (const task of errors) expect(await task.join()).toEqual([11, broken, broken, broken, broken]);
      expect(conditions.map((condition) => condition.statistics().tasksWaiting)).toEqual([0, 0, 0]);
    });
  });

  test("and those who were notified or cancelled, and stand in line for it", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const lock = new Lock();
      const shared = new Condition(lock);
      const cancelled = new CancelScope();
      const wait = () => shared.run(() => shared.wait());
      const errors = [nursery.startSoon(() => rejectionOf(wait())), nursery.startSoon(() => rejectionOf(cancelled.run(wait)))];
      await sleep(1);
      nursery.startSoon(
        async () => {
          await lock.acquire();
          shared.notify();
          cancelled.cancel();
          await sleep(10);
        },
        { name: "owner" },
      );
      for (const task of errors) expect(await task.join()).toEqual(new BrokenResourceError(message));
      expect(condition.isLocked).toBe(false);
    });
  });

  test("R12: does not keep conditions in which nobody waits", async () => {
    await simulate(async (nursery) => {
      const lock = new Lock();
      for (let i = 0; i < 3; i++) {
        const condition = new Condition(lock);
        const scope = waiting(nursery, condition, "a", []);
        waiting(nursery, condition, "b", []);
        await sleep(1);
        expect(lock._conditions?.size).toBe(1);
        scope.cancel();
        await sleep(20);
        expect(lock._conditions?.size).toBe(1);
        await lock.run(() => condition.notify());
        expect(lock._conditions?.size).toBe(0);
        await sleep(20);
      }
    });
  });
});

describe("R13: a wait() that was not awaited", () => {
  const advice = "The task waits for it, in an acquire() or a wait() that was not awaited";

  test("has given the lock up, which whoever goes on as if he had it is told", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      await condition.acquire();
      const wait = condition.wait();
      expect(thrownBy(() => condition.release())).toEqual(
        new UsageError(`main releases a lock that it does not have; nobody has it. ${advice}`),
      );
      expect(thrownBy(() => condition.notify())).toEqual(
        new UsageError(`main notifies without the lock of the condition; nobody has it. ${advice}`),
      );
      expect(await rejectionOf(condition.wait())).toEqual(
        new UsageError(`main waits without the lock of the condition; nobody has it. ${advice}`),
      );
      const twice = new UsageError("main waits for this lock already, and would wait for itself");
      expect(await rejectionOf(condition.acquire())).toEqual(twice);
      expect(thrownBy(() => condition.acquireNowait())).toEqual(twice);
      nursery.startSoon(() => condition.run(() => condition.notify()));
      await wait;
      condition.release();
    });
  });

  test("nor may it acquire while it stands in line after a notification", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      await condition.acquire();
      const wait = condition.wait();
      nursery.startSoon(() =>
        condition.run(async () => {
          condition.notify();
          await sleep(5);
        }),
      );
      await sleep(1);
      expect(await rejectionOf(condition.acquire())).toEqual(new UsageError("main waits for this lock already, and would wait for itself"));
      await wait;
      condition.release();
    });
  });
});

const RUNTIMES = { "in virtual time": simulate, "in real time": run };

describe.each(Object.entries(RUNTIMES))("R17: a wait() that nobody awaits, %s,", (_, run) => {
  test("is cancelled when its scope is left, and the end of the scope waits until its task has the lock again", async () => {
    const seen = await unhandledDuring(() =>
      run(async (nursery) => {
        const condition = new Condition();
        await condition.acquire();
        await new CancelScope().run(async () => {
          void condition.wait();
          nursery.startSoon(() => condition.run(() => sleep(5)), { name: "other" });
          await sleep(2);
          expect(condition.statistics().lockStatistics.owner?.name).toBe("other");
        });
        expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
        condition.release();
      }),
    );
    expect(seen).toEqual([]);
  });

  test("keeps its place for the lock, where it is cancelled first and its scope is left then", async () => {
    const log: string[] = [];
    await run(async (nursery) => {
      const condition = new Condition();
      await condition.acquire();
      await new CancelScope().run(async (scope) => {
        void condition.wait();
        nursery.startSoon(() => condition.run(() => sleep(5)));
        await sleep(2);
        scope.cancel();
        nursery.startSoon(() => condition.run(() => log.push("came later")));
        await shield(() => sleep(1));
      });
      log.push("has waited");
      condition.release();
    });
    expect(log).toEqual(["has waited", "came later"]);
  });

  test("that is cancelled, and whose lock breaks then, tells that", async () => {
    await run(async (nursery) => {
      const condition = new Condition();
      await condition.acquire();
      nursery.startSoon(() => condition.acquire().then(() => sleep(5)));
      const cancelled = moveOnAfter(2, () => condition.wait());
      expect(await rejectionOf(cancelled)).toBeInstanceOf(BrokenResourceError);
    });
  });

  test("breaks the lock if its task has ended with it: nobody is left who would release it", async () => {
    const seen = await unhandledDuring(() =>
      run(async (nursery) => {
        const condition = new Condition();
        const task = nursery.startSoon(
          async () => {
            await condition.acquire();
            void condition.wait();
          },
          { name: "floating" },
        );
        await task.join();
        const error = await rejectionAs(BrokenResourceError, condition.acquire());
        expect(error.message).toMatch(/^the task root > floating ended without releasing this lock/);
      }),
    );
    expect(seen).toEqual([]);
  });

  test("also at the end of the run", async () => {
    const condition = new Condition();
    const seen = await unhandledDuring(async () => {
      await run(async () => {
        await condition.acquire();
        void condition.wait();
      });
      expect(condition.statistics()).toEqual({ tasksWaiting: 0, lockStatistics: { locked: false, owner: undefined, tasksWaiting: 0 } });
      await run(async () => {
        const error = await rejectionAs(BrokenResourceError, condition.acquire());
        expect(error.message).toMatch(/^the task main ended without releasing this lock/);
      });
    });
    expect(seen).toEqual([]);
  });

  const floating: Record<string, (body: () => Promise<void>) => Promise<unknown>> = {
    "a scope": (body) => moveOnAfter(1_000, body),
    "a nursery": (body) => openNursery(body),
  };
  test.each(Object.entries(floating))("leaves the lock to %s that floats around it, which gives it back", async (_, float) => {
    const condition = new Condition();
    const seen = await unhandledDuring(() =>
      run(async (nursery) => {
        const task = nursery.startSoon(async () => {
          void float(() => condition.run(() => condition.wait()));
          await sleep(1);
        });
        await task.join();
        expect(await condition.run(() => "free")).toBe("free");
      }),
    );
    expect(seen).toEqual([]);
  });

  test("does not hide why the scope is left", async () => {
    const boom = new Error("boom");
    const seen = await unhandledDuring(() =>
      run(async () => {
        const condition = new Condition();
        const error = await rejectionOf(
          condition.run(() => new CancelScope().run(() => Promise.all([condition.wait(), sleep(1).then(() => Promise.reject(boom))]))),
        );
        expect(error).toBe(boom);
        expect(condition.isLocked).toBe(false);
      }),
    );
    expect(seen).toEqual([]);
  });
});

test("wait() in a scope that has ended is refused, and keeps the lock, also if others stand in line for it", async () => {
  await simulate(async (nursery) => {
    const condition = new Condition();
    await condition.run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      nursery.startSoon(() => condition.run(() => expect(now()).toBe(5)));
      await sleep(1);
      const refused = rejectionOf(condition.wait(scope));
      expect(condition.statistics().lockStatistics).toEqual({ locked: true, owner: currentTask(), tasksWaiting: 1 });
      expect(await refused).toBeInstanceOf(ScopeEndedError);
      await sleep(4);
    });
  });
});

test("wait() with what is no scope rejects, and keeps the lock", async () => {
  await simulate(async () => {
    const condition = new Condition();
    await condition.run(async () => {
      expect(await rejectionOf(condition.wait(5 as never))).toEqual(
        new TypeError("a scope, or an object with a `signal`, is expected as the last argument, not 5"),
      );
      expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
    });
  });
});

test("a deadlock report tells who waits for a notification, and who for the lock", async () => {
  const error = await rejectionAs(
    DeadlockError,
    simulate(async (nursery) => {
      const condition = new Condition();
      nursery.startSoon(() => condition.run(() => condition.wait()), { name: "a" });
      nursery.startSoon(() => condition.run(() => condition.wait()), { name: "b" });
      await sleep(1);
      await condition.acquire();
      condition.notify();
      await sleepForever();
    }),
  );
  expect(error.waiting).toEqual([
    { task: "main", op: "sleep", on: "" },
    { task: "root > a", op: "acquire", on: "Lock", heldBy: "main" },
    { task: "root > b", op: "wait", on: "Condition" },
  ]);
});
