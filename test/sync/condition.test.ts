import { describe, expect, test } from "vitest";
import {
  CancelScope,
  Condition,
  checkpoint,
  currentTask,
  Lock,
  type Nursery,
  now,
  openNursery,
  run,
  Semaphore,
  shield,
  sleep,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { type Log, waiting } from "./condition-support.js";

describe("CO1: a condition wraps a lock:", () => {
  const wrong: [lock: unknown, text: string][] = [
    [{}, "an object"],
    [null, "null"],
    [new Semaphore(1), "a Semaphore"],
    [new Condition(), "a Condition"],
    ["lock", '"lock"'],
  ];
  for (const [lock, text] of wrong) {
    test(`${text} is none`, () => {
      expect(thrownBy(() => new Condition(lock as Lock))).toEqual(new TypeError(`a condition is made around a Lock, not ${text}`));
    });
  }

  test("one that it is given, which it may share, or one of its own", async () => {
    await simulate(async () => {
      const lock = new Lock();
      const [one, other, own] = [new Condition(lock), new Condition(lock), new Condition(undefined)];
      await one.acquire();
      expect([lock.isLocked, one.isLocked, other.isLocked, own.isLocked]).toEqual([true, true, true, false]);
      other.notifyAll();
      other.release();
      expect([lock.isLocked, one.isLocked]).toEqual([false, false]);
      one.acquireNowait();
      expect(lock.statistics().owner).toBe(currentTask());
      lock.release();
      expect(await other.run(() => one.statistics())).toEqual({
        tasksWaiting: 0,
        lockStatistics: { locked: true, owner: currentTask(), tasksWaiting: 0 },
      });
      expect(lock.isLocked).toBe(false);
    });
  });

  test("acquireNowait() and release() complain as the lock does", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      nursery.startSoon(() => condition.run(() => sleep(5)), { name: "owner" });
      await sleep(1);
      expect(thrownBy(() => condition.acquireNowait())).toBeInstanceOf(WouldBlock);
      expect(thrownBy(() => condition.release())).toEqual(
        new UsageError("main releases a lock that it does not have; root > owner has it"),
      );
    });
  });

  test("wait() and notify() without it are misuse, and have no effect", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const waits = "main waits without the lock of the condition;";
      const notifies = "main notifies without the lock of the condition;";
      expect(await rejectionOf(condition.wait())).toEqual(new UsageError(`${waits} nobody has it`));
      expect(thrownBy(() => condition.notify())).toEqual(new UsageError(`${notifies} nobody has it`));
      expect(thrownBy(() => condition.notifyAll())).toEqual(new UsageError(`${notifies} nobody has it`));
      nursery.startSoon(() => condition.run(() => sleep(5)), { name: "owner" });
      await sleep(1);
      expect(await rejectionOf(condition.wait())).toEqual(new UsageError(`${waits} root > owner has it`));
      expect(thrownBy(() => condition.notify(2))).toEqual(new UsageError(`${notifies} root > owner has it`));
      expect(condition.statistics()).toMatchObject({ tasksWaiting: 0, lockStatistics: { locked: true, tasksWaiting: 0 } });
    });
  });

  test("also in a scope that is cancelled: the misuse is told, not the cancellation", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(new Condition().wait())).toBeInstanceOf(UsageError);
      });
    });
  });

  test("scopes and nurseries inside the task that has it may wait and notify", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const log: string[] = [];
      nursery.startSoon(() =>
        condition.run(async () => {
          await openNursery(() => shield(() => condition.wait()));
          log.push("notified");
        }),
      );
      await sleep(1);
      await condition.run(() => openNursery(() => condition.notify()));
      await sleep(1);
      expect(log).toEqual(["notified"]);
    });
  });

  test("where scopes are passed, all take one, notify() also without a number", async () => {
    await run(
      async (root) => {
        const condition = new Condition();
        const woken: number[] = [];
        for (let i = 0; i < 5; i++) {
          root.startSoon(async (task) => {
            await condition.acquire(task);
            await condition.wait(task);
            woken.push(i);
            condition.release({ signal: task.signal });
          });
        }
        await sleep(1, root);
        await condition.run(() => {
          condition.notify(root);
          condition.notify(undefined, root);
          condition.notify(2, { signal: root.signal });
          expect(condition.statistics().tasksWaiting).toBe(1);
          condition.notifyAll(root);
        }, root);
        condition.acquireNowait(await nextFree(condition, root));
        condition.release(root);
        expect(woken).toEqual([0, 1, 2, 3, 4]);
      },
      { ambient: false },
    );
  });

  async function nextFree(condition: Condition, root: Nursery): Promise<Nursery> {
    while (condition.isLocked) await checkpoint(root);
    return root;
  }

  test("under a foreign signal alone there is no task that could have it", async () => {
    const { signal } = new AbortController();
    const error = new UsageError("a lock belongs to a task, and there is none under a foreign signal alone: use it inside run()");
    expect(await rejectionOf(new Condition().wait({ signal }))).toEqual(error);
    expect(thrownBy(() => new Condition().notify({ signal }))).toEqual(error);
  });
});

describe("CO2: notify() moves those who wait to the lock's queue:", () => {
  test("the longest waiting first; they go on one by one, as the lock is released", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      for (const name of ["a", "b", "c", "d"]) waiting(nursery, condition, name, log);
      await sleep(5);
      await condition.run(async () => {
        expect(condition.statistics()).toMatchObject({ tasksWaiting: 4, lockStatistics: { tasksWaiting: 0 } });
        condition.notify(2);
        expect(condition.statistics()).toMatchObject({ tasksWaiting: 2, lockStatistics: { tasksWaiting: 2 } });
        condition.notify();
        expect(condition.statistics()).toMatchObject({ tasksWaiting: 1, lockStatistics: { tasksWaiting: 3 } });
        await sleep(10);
        expect(log).toEqual([]);
      });
      await sleep(35);
      await condition.run(() => condition.notify());
    });
    expect(log).toEqual([
      ["a", 15],
      ["b", 25],
      ["c", 35],
      ["d", 50],
    ]);
  });

  test("behind those who stand in line for the lock already", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      for (const name of ["a", "b"]) waiting(nursery, condition, name, log);
      await sleep(5);
      await condition.run(async () => {
        nursery.startSoon(() =>
          condition.run(async () => {
            log.push(["in line", now()]);
            await sleep(3);
          }),
        );
        await sleep(2);
        condition.notifyAll();
      });
    });
    expect(log).toEqual([
      ["in line", 7],
      ["a", 10],
      ["b", 20],
    ]);
  });

  test("notifyAll() moves all, in order", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      for (let i = 0; i < 5; i++) waiting(nursery, condition, `${i}`, log);
      await sleep(1);
      await condition.run(() => condition.notifyAll());
      expect(condition.statistics().tasksWaiting).toBe(0);
    });
    expect(log.map(([name]) => name)).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("as many as there are, if they are fewer; a notification that nobody waits for is not kept", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const log: Log = [];
      await condition.run(() => condition.notifyAll());
      await condition.run(() => condition.notify(3));
      const scopes = ["a", "b"].map((name) => waiting(nursery, condition, name, log));
      await sleep(5);
      expect([log, condition.statistics().tasksWaiting]).toEqual([[], 2]);
      await condition.run(() => condition.notify(1_000));
      await sleep(50);
      expect(log.map(([name]) => name)).toEqual(["a", "b"]);
      scopes.push(waiting(nursery, condition, "c", log));
      await sleep(5);
      expect(condition.statistics().tasksWaiting).toBe(1);
      await condition.run(() => condition.notify(Number.POSITIVE_INFINITY));
    });
  });

  test("of its own condition only, where several share a lock", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const lock = new Lock();
      const [full, empty] = [new Condition(lock), new Condition(lock)];
      waiting(nursery, full, "full", log);
      const scope = waiting(nursery, empty, "empty", log);
      await sleep(1);
      await lock.run(() => full.notifyAll());
      await sleep(20);
      expect([log, empty.statistics().tasksWaiting]).toEqual([[["full", 1]], 1]);
      scope.cancel();
    });
  });

  test("notify(0) moves nobody", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const scope = waiting(nursery, condition, "a", []);
      await sleep(1);
      await condition.run(() => condition.notify(0));
      expect(condition.statistics().tasksWaiting).toBe(1);
      scope.cancel();
    });
  });

  const wrong: [n: unknown, error: Error][] = [
    [-1, new RangeError("the number of tasks to notify is a whole number that is not negative, or Infinity, not -1")],
    [0.5, new RangeError("the number of tasks to notify is a whole number that is not negative, or Infinity, not 0.5")],
    [Number.NaN, new RangeError("the number of tasks to notify is a whole number that is not negative, or Infinity, not NaN")],
    ["2", new TypeError('the number of tasks to notify is a whole number, not "2"')],
  ];
  for (const [n, error] of wrong) {
    test(`a wrong number is an error: ${typeof n} ${n}`, async () => {
      await simulate(async (nursery) => {
        const condition = new Condition();
        const scope = waiting(nursery, condition, "a", []);
        await sleep(1);
        await condition.run(() => expect(thrownBy(() => condition.notify(n as number))).toEqual(error));
        expect(condition.statistics().tasksWaiting).toBe(1);
        scope.cancel();
      });
    });
  }
});
