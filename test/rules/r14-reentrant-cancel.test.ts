import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  Event,
  Lock,
  moveOnAfter,
  now,
  openNursery,
  park,
  shield,
  sleep,
  sleepForever,
  type Task,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

/** Two ways in which code of the user runs inside `cancel()`: a listener of the scope's signal, and the `onCancel` of something parked in it. */
type Hook = (scope: CancelScope, reaction: () => void) => void;
const HOOKS: Record<string, Hook> = {
  "an abort listener": (scope, reaction) => scope.signal.addEventListener("abort", reaction),
  "onCancel of park()": (scope, reaction) => void park(() => reaction, undefined, scope).catch(() => {}),
};

const hooks = Object.entries(HOOKS).map(([name, hook]) => ({ name, hook }));

test.each(hooks)("$name runs inside cancel(), once, and finds the whole scope cancelled", async ({ hook }) => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      const inner = new CancelScope();
      await inner.run(async () => {
        hook(scope, () => {
          log.push(`${scope.cancelCalled} ${scope.effectiveDeadline} ${inner.effectiveDeadline}`);
          expect(() => scope.throwIfCancelled()).toThrow(Cancelled);
          expect(() => inner.throwIfCancelled()).toThrow(Cancelled);
          scope.cancel();
        });
        log.push("before");
        scope.cancel("first");
        log.push("after");
        scope.cancel("second");
        scope.shield = true;
        scope.shield = false;
        inner.cancel();
      });
    });
    expect(log).toEqual(["before", "true -Infinity -Infinity", "after"]);
    expect((scope.signal.reason as Cancelled).cause).toBe("first");
  });
});

test.each(hooks)("$name may spawn into the nursery that is being cancelled: the task begins, up to its first checkpoint", async ({
  hook,
}) => {
  await simulate(async () => {
    const log: string[] = [];
    let late: Task | undefined;
    await openNursery(async (nursery) => {
      nursery.startSoon(() => sleepForever());
      hook(nursery, () => {
        late = nursery.startSoon(async () => {
          log.push("begun");
          await checkpoint();
          log.push("went on");
        });
        log.push("spawned");
      });
      await sleep(1);
      nursery.cancel();
    });
    expect(log).toEqual(["spawned", "begun"]);
    expect(late?.state).toBe("cancelled");
  });
});

test.each(hooks)("$name may cancel scopes around, inside and beside", async ({ hook }) => {
  await simulate(async () => {
    const log: string[] = [];
    const outer = new CancelScope();
    const beside = new CancelScope();
    const inner = new CancelScope({ shield: true });
    await outer.run(async () => {
      await openNursery(async (nursery) => {
        nursery.startSoon(() => beside.run(() => sleepForever()));
        nursery.startSoon(async () => {
          const own = new CancelScope();
          await own.run(() =>
            inner.run(async () => {
              hook(own, () => {
                beside.cancel();
                inner.cancel();
                outer.cancel();
                log.push([beside, inner, outer].map((scope) => scope.signal.aborted).join(" "));
              });
              await sleep(1);
              own.cancel();
              await checkpoint();
            }),
          );
        });
        nursery.startSoon(() => sleepForever());
      });
    });
    expect(log).toEqual(["true true true"]);
    // The scope beside is inside the outer one, whose cancellation was there by the time it ended.
    expect([outer.cancelledCaught, inner.cancelledCaught, beside.cancelledCaught]).toEqual([true, true, false]);
    expect(now()).toBe(1);
  });
});

test.each(hooks)("$name may move deadlines, into the past and away", async ({ hook }) => {
  await simulate(async () => {
    const first = new CancelScope();
    const hurried = new CancelScope();
    const spared = new CancelScope({ timeout: 2 });
    await openNursery(async (nursery) => {
      nursery.startSoon(() => hurried.run(() => sleepForever()));
      nursery.startSoon(() => spared.run(() => sleep(5)));
      nursery.startSoon(() =>
        first.run(async () => {
          hook(first, () => {
            // It runs where the timer does, outside of every scope, and has to know the time from elsewhere.
            hurried.deadline = first.deadline - 1;
            spared.deadline = Number.POSITIVE_INFINITY;
            first.deadline = 100;
          });
          await sleepForever();
        }),
      );
      await checkpoint();
      first.deadline = 1;
      await untilCancelled(hurried);
      expect(now()).toBe(1);
    });
    expect([first.cancelledCaught, hurried.cancelledCaught, spared.cancelledCaught, now()]).toEqual([true, true, false, 5]);
  });
});

/** Waits until the scope is cancelled. */
async function untilCancelled(scope: CancelScope): Promise<void> {
  await shield(() => sleepForever(scope)).catch(() => {});
}

test.each(hooks)("$name that sets an event and releases a lock wakes the others, and none of those who are being cancelled", async ({
  hook,
}) => {
  await simulate(async () => {
    const log: string[] = [];
    const event = new Event();
    const lock = new Lock();
    const doomed = new CancelScope();
    await openNursery(async (nursery) => {
      await lock.acquire();
      nursery.startSoon(() =>
        doomed.run(async () => {
          await openNursery(async (inner) => {
            for (const wait of [() => event.wait(), () => lock.acquire()]) {
              inner.startSoon(async () => {
                await wait().catch((error: unknown) => {
                  log.push((error as Error).name);
                  throw error;
                });
                log.push("a cancelled one was woken");
              });
            }
            await sleepForever();
          });
        }),
      );
      await sleep(1);
      nursery.startSoon(() => event.wait().then(() => log.push("event")));
      nursery.startSoon(() =>
        lock
          .acquire()
          .then(() => log.push("lock"))
          .then(() => lock.release()),
      );
      await sleep(1);
      hook(doomed, () => {
        event.set();
        lock.release(nursery);
        expect(lock.statistics().tasksWaiting).toBe(0);
      });
      doomed.cancel();
    });
    expect(log.sort()).toEqual(["AbortError", "AbortError", "event", "lock"]);
    expect(lock.isLocked).toBe(false);
  });
});

test("what comes second in a cancellation is told also if the first one started a new wait in the same scope: that wait is refused", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      scope.signal.addEventListener("abort", () => {
        sleep(5, scope).catch((error: unknown) => log.push(`refused ${error === scope.signal.reason}`));
        moveOnAfter(5, () => log.push("entered"), scope).catch(() => {});
      });
      park(() => () => log.push("parked"), undefined, scope).catch(() => {});
      scope.cancel();
      log.push("over");
      await shield(() => sleep(1));
    });
    expect(log).toEqual(["parked", "entered", "over", "refused true"].sort((a, b) => log.indexOf(a) - log.indexOf(b)));
    expect(log.indexOf("parked")).toBeLessThan(log.indexOf("over"));
  });
});

test("onCancel that returns false refuses: the wait goes on, is told no second time, and ends by what it waited for", async () => {
  await simulate(async () => {
    let told = 0;
    let wake: ((value: string) => boolean) | undefined;
    const value = await moveOnAfter(5, async (scope) => {
      const value = await park<string>((parked) => {
        wake = (value) => parked.wake(value);
        setTimer(() => parked.wake("done"));
        return () => {
          told++;
          return false;
        };
      });
      scope.cancel();
      return value;
    });
    function setTimer(fire: () => void): void {
      void shield(() => sleep(20)).then(fire);
    }
    expect([value, told, now()]).toEqual(["done", 1, 20]);
    expect(wake?.("again")).toBe(false);
  });
});

test("onCancel that throws: park() throws that, the rest is cancelled all the same, and it is a failure of its task", async () => {
  await simulate(async () => {
    const broken = new Error("the driver is gone");
    let other: Task | undefined;
    const outcome = openNursery(async (nursery) => {
      nursery.startSoon(() =>
        park(() => () => {
          throw broken;
        }),
      );
      other = nursery.startSoon(() => sleepForever());
      await sleep(1);
      nursery.cancel();
    });
    await expect(outcome).rejects.toBe(broken);
    expect(other?.state).toBe("cancelled");
  });
});

test("onCancel that wakes its own wait comes too late: it is cancelled already", async () => {
  await simulate(async () => {
    const told: unknown[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      park<string>((parked) => () => void told.push(parked.wake("value"), parked.fail(new Error("failed"))), undefined, scope).catch(
        (error: unknown) => told.push(error === scope.signal.reason),
      );
      scope.cancel();
      await shield(() => sleep(1));
    });
    expect(told).toEqual([false, false, true]);
  });
});

test("a scope that is cancelled while `start` of a park() runs: the wait is undone as soon as it is known how", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      const waiting = park(() => {
        log.push("started");
        scope.cancel();
        return () => log.push("undone");
      });
      waiting.catch((error: unknown) => log.push((error as Error).name));
      await shield(() => sleep(1));
    });
    expect(log).toEqual(["started", "undone", "AbortError"]);
  });
});

test("a listener of one deadline finds the scopes whose deadline has passed as well cancelled", async () => {
  await simulate(async (nursery) => {
    const scopes = [new CancelScope({ deadline: 5 }), new CancelScope({ deadline: 5 })] as const;
    const found: string[] = [];
    for (const scope of scopes) nursery.startSoon(() => scope.run(() => sleepForever()));
    await sleep(1);
    scopes[0].signal.addEventListener("abort", () => {
      try {
        scopes[1].throwIfCancelled();
        found.push("not cancelled");
      } catch (error) {
        found.push((error as Cancelled).kind);
      }
    });
    await sleep(10);
    expect(found).toEqual(["deadline"]);
  });
});

test("a wait that refuses to be undone holds up the end of its scope, and is not asked again there", async () => {
  await simulate(async (nursery) => {
    let told = 0;
    let outcome: unknown;
    const scope = new CancelScope();
    await scope.run(() => {
      const waiting = park<string>((parked) => {
        nursery.startSoon(() => sleep(5).then(() => parked.wake("done")));
        return () => {
          told++;
          return false;
        };
      });
      waiting.then((value) => {
        outcome = value;
      });
      scope.cancel();
    });
    expect([outcome, told, now()]).toEqual(["done", 1, 5]);
  });
});
