import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  run,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf, thrownBy } from "./support.js";

const never = Number.POSITIVE_INFINITY;

/** How long a body that waits for ever was let wait, by a scope that it may change. */
function lastsUntil(scope: CancelScope, change: (scope: CancelScope) => unknown = () => {}): Promise<number> {
  return simulate(async () => {
    await scope.run(async () => {
      await change(scope);
      await sleepForever();
    });
    return now();
  });
}

describe("DL1:", () => {
  test("the default deadline is Infinity", () => expect(new CancelScope().deadline).toBe(never));

  test("it may be assigned before entry, and counts from then on", async () => {
    const scope = new CancelScope();
    scope.deadline = 7;
    expect(scope.deadline).toBe(7);
    expect(await lastsUntil(scope)).toBe(7);
  });

  test("and after entry, with immediate effect, earlier and later, any number of times", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }), async (deadlines) => {
        const scope = new CancelScope({ timeout: 50 });
        const end = await lastsUntil(scope, () => {
          for (const at of deadlines) scope.deadline = at;
        });
        expect(end).toBe(deadlines.at(-1));
      }),
    );
  });

  test("by anyone, while the body is blocked", async () => {
    const scope = new CancelScope();
    await simulate(async (nursery) => {
      nursery.startSoon(() => scope.run(() => sleepForever()));
      await sleep(5);
      scope.deadline = 12;
      await sleep(6);
      expect(scope.cancelCalled).toBe(false);
      await sleep(1);
      expect(scope.cancelCalled).toBe(true);
    });
  });

  test("one in the past cancels at the next checkpoint, and at every one after that", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        await sleep(5);
        scope.deadline = 3;
        for (let i = 0; i < 3; i++) expect(await rejectionOf(checkpoint())).toBe(scope.signal.reason);
      }),
    );
  });

  test("Infinity takes it back", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      await scope.run(async () => {
        scope.deadline = never;
        await sleep(100);
      });
      expect([scope.cancelCalled, now()]).toEqual([false, 100]);
    });
  });
});

describe("DL2: a deadline does nothing after the block was left", () => {
  test("by itself", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await scope.run(() => {});
      await sleep(10);
    });
    expect(scope.cancelCalled).toBe(false);
  });

  test("nor if it is moved then", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await scope.run(() => {});
      scope.deadline = 7;
      await sleep(10);
    });
    expect(scope.cancelCalled).toBe(false);
  });
});

describe("DL3: a timeout counts from entry, not from construction:", () => {
  test("of a CancelScope", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await sleep(100);
      await scope.run(() => sleepForever());
      expect(now()).toBe(105);
    });
  });

  test("of every function that takes one", async () => {
    await simulate(async () => {
      await moveOnAfter(5, () => sleepForever());
      expect(now()).toBe(5);
      await failAfter(5, () => sleepForever()).catch(() => {});
      expect(now()).toBe(10);
      await moveOnAt(20, () => sleepForever());
      expect(now()).toBe(20);
      await failAt(30, () => sleepForever()).catch(() => {});
      expect(now()).toBe(30);
    });
  });
});

describe("DL4: the deadline of a scope with a timeout that has not been entered", () => {
  test("cannot be read", () => {
    const scope = new CancelScope({ timeout: 5 });
    const message = "the deadline of a scope with a timeout is known from its entry on, because the timeout counts from there";
    expect(thrownBy(() => scope.deadline)).toEqual(new UsageError(message));
  });

  test("can be read from entry on", async () => {
    await simulate(async () => {
      await sleep(10);
      await new CancelScope({ timeout: 5 }).run((scope) => expect(scope.deadline).toBe(15));
    });
  });

  test("can be assigned, and replaces the timeout", async () => {
    const scope = new CancelScope({ timeout: 5 });
    scope.deadline = 50;
    expect(scope.deadline).toBe(50);
    expect(await lastsUntil(scope)).toBe(50);
  });
});

test("DL13: deadlines that come and go leave nothing behind, however many, also while something else is due", async () => {
  const refs: WeakRef<CancelScope>[] = [];
  await simulate(async (nursery) => {
    // Due before them, so that none of them comes to the top of the heap, where it would be found.
    nursery.startSoon(() => sleep(1e6));
    await checkpoint();
    for (let i = 0; i < 20_000; i++) {
      await moveOnAfter(1e9 + i, (scope) => {
        scope.deadline = 1e9 + 2 * i;
        if (i % 10 === 0) refs.push(new WeakRef(scope));
      });
    }
    await checkpoint();
    globalThis.gc?.();
    const kept = refs.filter((ref) => ref.deref() !== undefined).length;
    expect(kept).toBeLessThan(refs.length / 5);
  });
});

test("DL14: a deadline that is moved from outside the run takes effect", async () => {
  let scope: CancelScope | undefined;
  const running = run(() =>
    new CancelScope({ timeout: 3_600_000 }).run((own) => {
      scope = own;
      return sleepForever();
    }),
  );
  setTimeout(() => {
    (scope as CancelScope).deadline = now();
  }, 5);
  expect(await running).toBe(undefined);
  expect(scope?.cancelledCaught).toBe(true);
});
