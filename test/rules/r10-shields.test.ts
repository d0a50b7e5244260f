import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  Event,
  failAfter,
  moveOnAfter,
  now,
  openNursery,
  park,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

/** What a promise does: its value, or the error it rejects with. */
const outcomeOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

test("a shield hides a cancellation from outside until its end, and no longer", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      scope.cancel();
      await shield(async () => {
        await sleep(10);
        await checkpoint();
        log.push("shielded");
      });
      await checkpoint().catch(() => log.push("cancelled"));
      await checkpoint();
    });
    expect(log).toEqual(["shielded", "cancelled"]);
    expect([scope.cancelledCaught, now()]).toEqual([true, 10]);
  });
});

test("a shield hides a deadline from outside, that was there before and that passes meanwhile", async () => {
  await simulate(async () => {
    const told = await moveOnAfter(5, async () => {
      await shield(async (inner) => {
        expect(inner.effectiveDeadline).toBe(Number.POSITIVE_INFINITY);
        await sleep(20);
      });
      return "late";
    });
    expect([told, now()]).toEqual(["late", 20]);
  });
});

test("the shielded scope's own cancel works, and it catches it although the outside is cancelled too", async () => {
  await simulate(async () => {
    const outer = new CancelScope();
    const inner = new CancelScope({ shield: true });
    await outer.run(async () => {
      outer.cancel();
      await inner.run(async () => {
        inner.cancel();
        await sleepForever();
      });
      expect(inner.cancelledCaught).toBe(true);
    });
    expect(outer.cancelledCaught).toBe(false);
  });
});

test("the shielded scope's own deadline works: shield throws TimeoutError, a scope moves on", async () => {
  await simulate(async () => {
    const outer = new CancelScope();
    await outer.run(async () => {
      outer.cancel();
      expect(await outcomeOf(shield(() => sleepForever(), { timeout: 5 }))).toBeInstanceOf(TimeoutError);
      const inner = new CancelScope({ shield: true, timeout: 5 });
      await inner.run(() => sleepForever());
      expect([inner.cancelledCaught, now()]).toEqual([true, 10]);
    });
  });
});

test("a cancellation inside a shield works as anywhere", async () => {
  await simulate(async () => {
    await shield(async () => {
      expect(await outcomeOf(failAfter(5, () => sleepForever()))).toBeInstanceOf(TimeoutError);
      await openNursery(async (nursery) => {
        nursery.startSoon(() => sleepForever());
        nursery.cancel();
      });
    });
  });
});

test("raised late, a shield protects from what comes, and not from what has been delivered", async () => {
  await simulate(async () => {
    const early = new CancelScope();
    const late = new CancelScope();
    await openNursery(async (nursery) => {
      for (const scope of [early, late]) nursery.startSoon(() => scope.run(() => sleep(10)));
      await sleep(1);
      early.shield = true;
      nursery.cancel();
      late.shield = true;
      expect([early.signal.aborted, late.signal.aborted]).toEqual([false, true]);
      expect(() => late.throwIfCancelled()).toThrow(Cancelled);
      expect([early.remaining, late.remaining]).toEqual([Number.POSITIVE_INFINITY, 0]);
    });
    // What was delivered came from outside, so it is not caught, whatever the shield says by then.
    expect([early.cancelledCaught, late.cancelledCaught, now()]).toEqual([false, false, 10]);
  });
});

test("lowered, a shield lets a pending cancellation in at once, to all that is parked inside, before the assignment is over", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const outer = new CancelScope();
    await outer.run(async () => {
      const inner = new CancelScope({ shield: true });
      await inner.run(async () => {
        await openNursery(async (nursery) => {
          for (const name of ["a", "b"]) nursery.startSoon(() => park(() => () => log.push(name)));
          await sleep(1);
          outer.cancel();
          log.push("cancelled");
          inner.shield = false;
          log.push("lowered");
        });
      });
    });
    expect(log).toEqual(["cancelled", "a", "b", "lowered"]);
    expect(outer.cancelledCaught).toBe(true);
  });
});

test("a shield covers the tasks of the nurseries inside it, not those that are started from inside it elsewhere", async () => {
  await simulate(async () => {
    const log: string[] = [];
    await openNursery(async (outside) => {
      await shield(async () => {
        await openNursery(async (inside) => {
          inside.startSoon(() => sleep(5).then(() => log.push("inside")));
          outside.startSoon(() => sleep(5).then(() => log.push("outside")));
          await sleep(1);
          outside.cancel();
        });
      });
    });
    expect(log).toEqual(["inside"]);
  });
});

test("inside a shield an outer scope can be passed: the wait for it is cancelled, and the rest is not", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const pool = new Semaphore(0);
    await moveOnAfter(5, async (outer) => {
      await shield(async () => {
        await pool.acquire(outer).catch((error: unknown) => log.push((error as Cancelled).kind));
        await sleep(5);
        log.push("cleaned up");
      });
    });
    expect(log).toEqual(["deadline", "cleaned up"]);
    expect([now(), pool.statistics().tasksWaiting]).toEqual([10, 0]);
  });
});

test("a shield that is raised while a cancellation passes through does not make its scope catch it", async () => {
  await simulate(async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await outer.run(() =>
      inner.run(async () => {
        inner.cancel();
        outer.cancel();
        try {
          await checkpoint();
        } finally {
          inner.shield = true;
        }
      }),
    );
    expect([inner.cancelledCaught, outer.cancelledCaught]).toEqual([false, true]);
  });
});

test("what is shielded may finish what others wait for, after the cancellation", async () => {
  await simulate(async () => {
    const done = new Event();
    await openNursery(async (nursery) => {
      nursery.startSoon(async () => {
        await shield(() => done.wait());
        expect(now()).toBe(3);
      });
      await sleep(1);
      nursery.cancel();
      await shield(() => sleep(2));
      done.set();
    });
    expect(done.isSet).toBe(true);
  });
});
