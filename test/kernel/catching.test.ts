import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, run, shield, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf } from "./support.js";

describe("CC1: of scopes that are all cancelled, the outermost that is not shielded off catches;", () => {
  test("the inner ones let it pass, and code after them does not run", async () => {
    // Each scope of a nest may be cancelled and may be a shield; what is cancelled outside a shield is not seen inside it.
    const nest = fc.array(fc.record({ cancelled: fc.boolean(), shield: fc.boolean() }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(nest, async (list) => {
        const scopes = list.map(({ shield: isShield }) => new CancelScope({ shield: isShield }));
        const finished: boolean[] = list.map(() => false);
        const descend = async (i: number): Promise<void> => {
          if (i === scopes.length) {
            // From inside to outside, so that each has a reason of its own.
            for (let n = scopes.length - 1; n >= 0; n--) if (list[n]?.cancelled) scopes[n]?.cancel();
            await checkpoint();
            return;
          }
          await (scopes[i] as CancelScope).run(() => descend(i + 1));
          finished[i] = true;
        };
        await simulate(() => descend(0));
        let visible = 0;
        for (let i = 0; i < list.length; i++) if (list[i]?.shield) visible = i;
        const outermost = list.findIndex(({ cancelled }, i) => i >= visible && cancelled);
        expect(scopes.map(({ cancelledCaught }) => cancelledCaught)).toEqual(list.map((_, i) => i === outermost));
        expect(finished).toEqual(list.map((_, i) => outermost === -1 || i <= outermost));
      }),
    );
  });
});

describe("CC2: who catches is decided at each end, from the state then:", () => {
  test("an outer cancel that comes while the cancellation passes takes it over", async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await simulate(() =>
      outer.run(() =>
        inner.run(async () => {
          inner.cancel();
          try {
            await checkpoint();
          } finally {
            outer.cancel();
          }
        }),
      ),
    );
    expect([outer.cancelledCaught, inner.cancelledCaught]).toEqual([true, false]);
  });

  test("one that comes after the inner end does not", async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await simulate(() =>
      outer.run(async () => {
        await inner.run(async () => {
          inner.cancel();
          await checkpoint();
        });
        outer.cancel();
        await checkpoint();
      }),
    );
    expect([outer.cancelledCaught, inner.cancelledCaught]).toEqual([true, true]);
  });

  test("a shield between keeps the outer one from taking it over", async () => {
    const outer = new CancelScope();
    const inner = new CancelScope();
    await simulate(() =>
      outer.run(() =>
        shield(() =>
          inner.run(async () => {
            inner.cancel();
            outer.cancel();
            await checkpoint();
          }),
        ),
      ),
    );
    expect([outer.cancelledCaught, inner.cancelledCaught]).toEqual([false, true]);
  });
});

describe("CC3: cancelCalled says that it was asked for, cancelledCaught that the scope has swallowed a cancellation:", () => {
  test("asked for, but nothing met it", async () => {
    const scope = new CancelScope();
    expect(
      await simulate(() =>
        scope.run(() => {
          scope.cancel();
          return "value";
        }),
      ),
    ).toBe("value");
    expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([true, false]);
  });

  test("CC7: a body that swallows the cancellation itself is done normally, and has its value", async () => {
    const scope = new CancelScope();
    const body = async () => {
      scope.cancel();
      await checkpoint().catch(() => {});
      return "value";
    };
    expect(await simulate(() => scope.run(body))).toBe("value");
    expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([true, false]);
  });

  test("not before the end", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await checkpoint().catch((error) => {
          expect(scope.cancelledCaught).toBe(false);
          throw error;
        });
      });
      expect(scope.cancelledCaught).toBe(true);
    });
  });
});

test("CC5: cancel() on a scope that has ended: it was asked for, and nothing else happens", async () => {
  await simulate(async () => {
    const scope = new CancelScope();
    const { signal } = scope;
    await scope.run(() => {});
    scope.cancel();
    expect([scope.cancelCalled, scope.cancelledCaught, signal.aborted]).toEqual([true, false, false]);
    await checkpoint();
  });
});

describe("CC6: reading cancelCalled", () => {
  test("commits a deadline that is overdue and that no timer has reported", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        await sleep(5);
        scope.deadline = 5;
        expect(scope.cancelCalled).toBe(true);
        expect(scope.signal.aborted).toBe(true);
      }),
    );
  });

  test("also in real time, while the event loop is blocked", async () => {
    await run(() =>
      new CancelScope({ timeout: 2 }).run((scope) => {
        const end = performance.now() + 5;
        while (performance.now() < end);
        expect(scope.cancelCalled).toBe(true);
      }),
    );
  });

  test("once true it stays true, also if the deadline is moved away", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.deadline = -1;
        expect(scope.cancelCalled).toBe(true);
        scope.deadline = Number.POSITIVE_INFINITY;
        expect(scope.cancelCalled).toBe(true);
        expect(await rejectionOf(checkpoint())).toBe(scope.signal.reason);
      }),
    );
  });

  test("commits nothing before the entry, because time counts from there", () => {
    const scope = new CancelScope({ deadline: -1 });
    expect(scope.cancelCalled).toBe(false);
  });
});
