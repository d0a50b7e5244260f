import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentEffectiveDeadline,
  Event,
  moveOnAfter,
  now,
  openNursery,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "./support.js";

/** `true` if a checkpoint throws here, because of a cancellation. */
async function isCancelledHere(): Promise<boolean> {
  return checkpoint().then(
    () => false,
    () => true,
  );
}

describe("SH1: a shield hides", () => {
  test("what was cancelled outside, from everything inside, however deep", async () => {
    const log: unknown[] = [];
    await simulate(() =>
      moveOnAfter(10, () =>
        shield(async () => {
          await sleep(20);
          log.push(now());
          await openNursery((nursery) => {
            nursery.startSoon(async () => {
              await new CancelScope().run(() => sleep(20));
              log.push(now());
            });
          });
        }),
      ),
    );
    expect(log).toEqual([20, 40]);
  });

  test("neither its own cancellation", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ shield: true });
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(checkpoint())).toBe(reasonOf(scope));
      });
    });
  });

  test("nor that of a scope inside it", async () => {
    const inner = new CancelScope();
    await simulate(() =>
      shield(() =>
        inner.run(async () => {
          inner.cancel();
          await checkpoint();
        }),
      ),
    );
    expect(inner.cancelledCaught).toBe(true);
  });

  test("from its signal too: signal and state never disagree (R10)", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        shield((inner) => {
          const early = inner.signal;
          outer.cancel();
          expect([outer.signal.aborted, early.aborted, inner.signal.aborted]).toEqual([true, false, false]);
          inner.throwIfCancelled();
        }),
      ),
    );
  });
});

describe("SH2: the shield of a scope can be switched:", () => {
  test("lowered, it lets a pending cancellation from outside in at the next checkpoint, at once also into its signal", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope({ shield: true }).run(async (inner) => {
          outer.cancel();
          expect(await isCancelledHere()).toBe(false);
          inner.shield = false;
          expect(inner.signal.reason).toBe(outer.signal.reason);
          expect(await isCancelledHere()).toBe(true);
        }),
      ),
    );
  });

  test("raised, it protects from what comes later", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope().run(async (inner) => {
          inner.shield = true;
          outer.cancel();
          expect(await isCancelledHere()).toBe(false);
        }),
      ),
    );
  });

  test("raised again, it does not take back what was delivered: unlike Trio, because a signal cannot be un-aborted (R10)", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope().run(async (inner) => {
          outer.cancel();
          inner.shield = true;
          expect(await isCancelledHere()).toBe(true);
          inner.shield = false;
          inner.shield = true;
          expect(await isCancelledHere()).toBe(true);
          expect(inner.signal.aborted).toBe(true);
        }),
      ),
    );
  });

  test("raised late, a scope inside it that is entered later is cancelled as well: it sees what its surroundings see", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope().run(async (inner) => {
          outer.cancel();
          inner.shield = true;
          const late = new CancelScope();
          await late.run(() => {}).catch(() => {});
          expect(late.signal.reason).toBe(outer.signal.reason);
        }),
      ),
    );
  });

  test("to true or false only", async () => {
    for (const value of [1, 0, "true", null, undefined, {}]) {
      const scope = new CancelScope();
      expect(
        thrownBy(() => {
          scope.shield = value as never;
        }),
      ).toEqual(new TypeError("shield is true or false"));
      expect(scope.shield).toBe(false);
    }
  });

  test("to what it is already, without effect", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope({ shield: true }).run(async (inner) => {
          outer.cancel();
          inner.shield = true;
          expect(await isCancelledHere()).toBe(false);
        }),
      ),
    );
  });

  test("lowered after the end, without effect", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const inner = new CancelScope({ shield: true });
        await inner.run(() => {});
        outer.cancel();
        inner.shield = false;
        expect(inner.signal.aborted).toBe(false);
      }),
    );
  });
});

test("SH3: lowering the shield of a nursery aborts what is blocked in it at once, without its owner passing a checkpoint", async () => {
  await simulate(() =>
    new CancelScope().run((outer) =>
      openNursery(async (nursery) => {
        nursery.shield = true;
        const event = new Event();
        nursery.startSoon(() => event.wait());
        await sleep(1);
        outer.cancel();
        expect(event.statistics().tasksWaiting).toBe(1);
        nursery.shield = false;
        expect(event.statistics().tasksWaiting).toBe(0);
      }),
    ),
  );
});

test("SH4: a shield can be set before entry", async () => {
  await simulate(() =>
    new CancelScope().run(async (outer) => {
      outer.cancel();
      const inOptions = new CancelScope({ shield: true });
      const assigned = new CancelScope();
      assigned.shield = true;
      const taken = new CancelScope({ shield: true });
      taken.shield = false;
      const seen = await shield(async () => Promise.all([inOptions, assigned, taken].map((scope) => scope.run(isCancelledHere, outer))));
      expect(seen).toEqual([false, false, true]);
    }),
  );
});

describe("SH5: the deadline of a shielded scope still counts:", () => {
  test("a shielded scope with a timeout moves on", async () => {
    const scope = new CancelScope({ shield: true, timeout: 5 });
    await simulate(async () => {
      await scope.run(() => sleepForever());
      expect(now()).toBe(5);
    });
    expect(scope.cancelledCaught).toBe(true);
  });

  test("shield({ timeout }) throws a TimeoutError", async () => {
    await simulate(async () => {
      const error = await rejectionAs(
        TimeoutError,
        shield(() => sleepForever(), { timeout: 5 }),
      );
      expect(now()).toBe(5);
      expect(error.message).toBe("timed out in root > scope: the 5 ms of the shield were over");
      expect(error.scope).toBe("root > scope");
    });
  });

  test("shield({ timeout }) throws a TimeoutError also where everything around it is cancelled", async () => {
    const promise = simulate(() =>
      new CancelScope().run(async (outer) => {
        outer.cancel();
        await shield(() => sleepForever(), { timeout: 5 });
      }),
    );
    expect(await rejectionOf(promise)).toBeInstanceOf(TimeoutError);
  });

  test("effective deadlines end at a shield", async () => {
    await simulate(() =>
      moveOnAfter(10, async () => {
        expect(currentEffectiveDeadline()).toBe(10);
        await shield(async () => expect(currentEffectiveDeadline()).toBe(Number.POSITIVE_INFINITY));
        await shield(async () => expect(currentEffectiveDeadline()).toBe(20), { timeout: 20 });
      }),
    );
  });
});

describe("SH6: a shield that is raised while a cancellation from outside passes", () => {
  test("does not swallow it, also if the scope's own was called", async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await simulate(() =>
      outer.run(async () => {
        await inner.run(async () => {
          try {
            outer.cancel();
            inner.cancel();
            await checkpoint();
          } finally {
            inner.shield = true;
          }
        });
      }),
    );
    expect([inner.cancelledCaught, outer.cancelledCaught]).toEqual([false, true]);
  });

  test("and one that is raised before lets the scope catch its own", async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    const log: string[] = [];
    await simulate(() =>
      outer.run(async () => {
        await inner.run(async () => {
          inner.cancel();
          inner.shield = true;
          outer.cancel();
          await checkpoint();
        });
        log.push("after inner");
      }),
    );
    expect([inner.cancelledCaught, outer.cancelledCaught, log]).toEqual([true, false, ["after inner"]]);
  });
});

test("SH7: tasks are shielded by scopes around their nursery, not by those around startSoon", async () => {
  const ends: string[] = [];
  await simulate(() =>
    openNursery(async (nursery) => {
      const work = (name: string) => async () => {
        await sleep(10).catch(() => ends.push(`${name} cancelled`));
      };
      await shield(async () => {
        nursery.startSoon(work("spawned inside a shield"));
        await openNursery(async (inner) => {
          inner.startSoon(work("in a nursery inside a shield"));
          await sleep(1);
          nursery.cancel();
        });
      });
    }),
  );
  expect(ends).toEqual(["spawned inside a shield cancelled"]);
});
