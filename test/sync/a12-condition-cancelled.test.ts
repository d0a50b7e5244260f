import { describe, expect, test } from "vitest";
import { CancelScope, Condition, checkpoint, currentTask, now, openNursery, run, sleep, WouldBlock } from "../../src/index.js";
import { reasonOf, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { type Log, waiting } from "./condition-support.js";

describe("CO3: a wait() that is cancelled has the lock again before it throws:", () => {
  test("at once, if it is free", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const scope = waiting(nursery, condition, "a", log);
      await sleep(5);
      scope.cancel();
      expect(condition.statistics()).toMatchObject({ tasksWaiting: 0, lockStatistics: { locked: true, tasksWaiting: 0 } });
      expect(thrownBy(() => condition.acquireNowait())).toBeInstanceOf(WouldBlock);
    });
    expect(log).toEqual([["a", 5, "cancelled"]]);
  });

  test("else when it is released, behind all who stand in line for it", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const [a, b] = ["a", "b"].map((name) => waiting(nursery, condition, name, log));
      await sleep(5);
      await condition.run(async () => {
        nursery.startSoon(() => condition.run(() => sleep(3)));
        await sleep(2);
        b?.cancel();
        a?.cancel();
        expect(condition.statistics()).toMatchObject({ tasksWaiting: 0, lockStatistics: { tasksWaiting: 3 } });
        condition.notifyAll();
        await sleep(4);
      });
    });
    expect(log).toEqual([
      ["b", 14, "cancelled"],
      ["a", 24, "cancelled"],
    ]);
  });

  test("also if it was notified, and stood in line for the lock; it has to stand behind the others again", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const [a] = ["a", "b"].map((name) => waiting(nursery, condition, name, log));
      await sleep(5);
      await condition.run(async () => {
        condition.notifyAll();
        await sleep(1);
        a?.cancel();
      });
    });
    expect(log).toEqual([
      ["b", 6],
      ["a", 16, "cancelled"],
    ]);
  });

  test("R6: the lock that it has been given by then counts: it was notified", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const scope = waiting(nursery, condition, "a", log);
      await sleep(5);
      await condition.run(() => condition.notify());
      scope.cancel();
    });
    expect(log).toEqual([["a", 5]]);
  });

  test("nothing interrupts it any more: neither deadlines nor cancellations outside, and the first one is thrown", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const outer = new CancelScope({ timeout: 12, name: "outer" });
      const inner = new CancelScope({ timeout: 8, name: "inner" });
      nursery.startSoon(() =>
        outer.run(() =>
          inner.run(() =>
            condition.run(async () => {
              const error = await rejectionOf(condition.wait());
              expect([now(), error]).toEqual([20, reasonOf(inner)]);
              throw error;
            }),
          ),
        ),
      );
      await sleep(5);
      await condition.run(() => sleep(15));
      await condition.run(() => {});
      expect([outer.cancelledCaught, inner.cancelledCaught, inner.signal.reason.kind]).toEqual([true, false, "deadline"]);
    });
  });

  test("a shield that is raised meanwhile takes nothing back", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const [outer, inner] = [new CancelScope(), new CancelScope()];
      const task = nursery.startSoon(() =>
        outer.run(() => inner.run(() => condition.run(() => condition.wait().finally(() => expect(now()).toBe(9))))),
      );
      await sleep(1);
      await condition.run(async () => {
        outer.cancel();
        inner.shield = true;
        await sleep(8);
      });
      await task.join();
      expect(outer.cancelledCaught).toBe(true);
    });
  });

  test("a shield around it keeps cancellations out until it is lowered", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const [outer, inner] = [new CancelScope(), new CancelScope({ shield: true })];
      nursery.startSoon(() =>
        outer.run(() =>
          inner.run(() =>
            condition.run(async () => {
              await condition.wait().catch((error) => log.push(["first", now(), error === outer.signal.reason ? "cancelled" : "?"]));
            }),
          ),
        ),
      );
      await sleep(1);
      outer.cancel();
      await sleep(1);
      expect(condition.statistics().tasksWaiting).toBe(1);
      inner.shield = false;
    });
    expect(log).toEqual([["first", 2, "cancelled"]]);
  });

  test("in a scope that is cancelled already, too: those who stand in line for the lock have their turn", async () => {
    const log: Log = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const scope = new CancelScope();
      await condition.acquire();
      for (const name of ["x", "y"]) {
        nursery.startSoon(() =>
          condition.run(async () => {
            log.push([name, now()]);
            await sleep(5);
          }),
        );
      }
      await sleep(1);
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(condition.wait())).toBe(reasonOf(scope));
        log.push(["main", now()]);
      });
      condition.release();
    });
    expect(log).toEqual([
      ["x", 1],
      ["y", 6],
      ["main", 11],
    ]);
  });

  test("and if there is nobody, it keeps the lock all the time", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      await condition.acquire();
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        const before = condition.statistics();
        const wait = condition.wait();
        expect(condition.statistics()).toEqual(before);
        nursery.startSoon(() => condition.run(() => expect(now()).toBe(5)));
        expect(await rejectionOf(wait)).toBe(reasonOf(scope));
      });
      expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
      await sleep(5);
      condition.release();
    });
  });

  test("by a foreign signal", async () => {
    await simulate(async (nursery) => {
      const condition = new Condition();
      const controller = new AbortController();
      const task = nursery.startSoon(() =>
        condition.run(async () => {
          const error = await rejectionOf(condition.wait({ signal: controller.signal }));
          expect(error).toMatchObject({ name: "AbortError", kind: "signal", cause: "enough" });
          expect([now(), condition.statistics().lockStatistics.owner]).toEqual([7, currentTask()]);
        }),
      );
      await sleep(5);
      await condition.run(async () => {
        controller.abort("enough");
        await sleep(2);
      });
      await task.join();
      expect(condition.isLocked).toBe(false);
    });
  });

  test("by a foreign signal that is aborted already", async () => {
    await simulate(async () => {
      const condition = new Condition();
      await condition.run(async () => {
        const error = await rejectionOf(condition.wait({ signal: AbortSignal.abort("before") }));
        expect(error).toMatchObject({ name: "AbortError", kind: "signal", cause: "before" });
        expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
      });
      expect(condition.isLocked).toBe(false);
    });
  });

  test("R14: 20,000 at a time, one after the other", async () => {
    const n = 20_000;
    let thrown = 0;
    await run(async (nursery) => {
      const condition = new Condition();
      const scope = new CancelScope();
      nursery.startSoon(() =>
        scope.run(() =>
          openNursery((waiters) => {
            for (let i = 0; i < n; i++) {
              waiters.startSoon(() =>
                condition.run(async () => {
                  await condition.wait().catch(() => thrown++);
                  expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
                }),
              );
            }
          }),
        ),
      );
      while (condition.statistics().tasksWaiting < n) await checkpoint();
      scope.cancel();
      expect(condition.statistics()).toMatchObject({ tasksWaiting: 0, lockStatistics: { tasksWaiting: n - 1 } });
    });
    expect(thrown).toBe(n);
  });
});

describe("CO4: a notification that went to a waiter that was cancelled before it went on", () => {
  /** Two consumers wait for one item; the first is cancelled right after it was notified. Returns who took the item. */
  async function consumed(wait: (condition: Condition) => Promise<void>): Promise<string[]> {
    const took: string[] = [];
    await simulate(async (nursery) => {
      const condition = new Condition();
      const items: string[] = [];
      const scopes = ["first", "second"].map((name) => {
        const scope = new CancelScope({ timeout: 100 });
        nursery.startSoon(() =>
          scope.run(() =>
            condition.run(async () => {
              while (items.length === 0) await wait(condition);
              took.push(`${name} took the ${items.pop()}`);
            }),
          ),
        );
        return scope;
      });
      await sleep(1);
      await condition.run(() => {
        items.push("item");
        condition.notify();
        scopes[0]?.cancel();
      });
    });
    return took;
  }

  test("is used up, as in Trio", async () => {
    expect(await consumed((condition) => condition.wait())).toEqual([]);
  });

  test("is not lost where it is passed on", async () => {
    const passingOn = async (condition: Condition) => {
      try {
        await condition.wait();
      } catch (error) {
        condition.notify();
        throw error;
      }
    };
    expect(await consumed(passingOn)).toEqual(["second took the item"]);
  });
});
