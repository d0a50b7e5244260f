import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Cancelled, CancelScope, checkpoint, moveOnAfter, openNursery, shield, sleep, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { immediate, waiting } from "./operations.js";
import { reasonOf, rejectionOf, thrownBy } from "./support.js";

/** A scope that is cancelled with everything in it, from outside it. */
async function inCancelled(body: (scope: CancelScope) => Promise<unknown>): Promise<CancelScope> {
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(body);
  return scope;
}

test("LT1: cancel() is synchronous, throws nothing, is idempotent, and the code after it runs on to the next checkpoint", async () => {
  const log: string[] = [];
  await simulate(async () => {
    await new CancelScope().run(async (scope) => {
      scope.cancel();
      scope.cancel();
      log.push("after cancel()");
      await Promise.resolve();
      log.push("after an await that is no checkpoint");
      await checkpoint();
      log.push("never");
    });
    log.push("after the scope");
  });
  expect(log).toEqual(["after cancel()", "after an await that is no checkpoint", "after the scope"]);
});

describe("LT2: in a cancelled scope every checkpoint throws, again and again:", () => {
  for (const { name, prepare } of [...immediate, ...waiting]) {
    test(name, async () => {
      await simulate((nursery) =>
        new CancelScope().run(async (scope) => {
          const { call } = await prepare(nursery);
          scope.cancel();
          for (let i = 0; i < 3; i++) expect(await rejectionOf(call())).toBe(reasonOf(scope));
        }),
      );
    });
  }
});

describe("LT3: cleanup code that waits", () => {
  test("in a cancelled scope throws at once", async () => {
    const log: string[] = [];
    await simulate(() =>
      moveOnAfter(10, async () => {
        try {
          await sleepForever();
        } finally {
          log.push("cleaning up");
          await sleep(1).finally(() => log.push("never slept"));
          log.push("never");
        }
      }),
    );
    expect(log).toEqual(["cleaning up", "never slept"]);
  });

  test("waits behind a shield", async () => {
    const log: string[] = [];
    await simulate(() =>
      moveOnAfter(10, async () => {
        try {
          await sleepForever();
        } finally {
          await shield(() => sleep(1));
          log.push("cleaned up");
        }
      }),
    );
    expect(log).toEqual(["cleaned up"]);
  });
});

test("LT4: a scope that was left before its cancellation met a checkpoint delivers nothing later", async () => {
  const scope = await simulate(async () => {
    const cancelled = await inCancelled(async () => {});
    await checkpoint();
    return cancelled;
  });
  expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([true, false]);
});

describe("LT5: cancelling reaches every descendant in one synchronous step,", () => {
  test("at any place of any tree: exactly the scopes inside, with one reason", async () => {
    const parents = fc.array(fc.nat(), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(parents, fc.nat(), async (picks, cancelled) => {
        await simulate(async (nursery) => {
          const scopes: CancelScope[] = [nursery];
          const parentOf: number[] = [-1];
          for (const pick of picks) {
            const parent = pick % scopes.length;
            const scope = new CancelScope();
            nursery.startSoon(() => scope.run(() => sleepForever(), scopes[parent]), { background: true });
            await checkpoint();
            parentOf.push(parent);
            scopes.push(scope);
          }
          if (scopes.length === 1) return;
          const top = 1 + (cancelled % (scopes.length - 1));
          scopes[top]?.cancel();
          const isInside = (i: number): boolean => i === top || (i > 0 && isInside(parentOf[i] as number));
          expect(scopes.map(({ signal }) => signal.reason)).toEqual(
            scopes.map((_, i) => (isInside(i) ? scopes[top]?.signal.reason : undefined)),
          );
          nursery.cancel();
        });
      }),
    );
  });

  test("20,000 scopes deep", async () => {
    let innermost: CancelScope | undefined;
    const outer = new CancelScope();
    const descend = (depth: number): Promise<unknown> => {
      const scope = new CancelScope();
      innermost = scope;
      return scope.run(() => (depth === 0 ? sleepForever() : descend(depth - 1)));
    };
    await simulate(async (nursery) => {
      nursery.startSoon(() => outer.run(() => descend(20_000)));
      await sleep(1);
      outer.cancel();
      expect(innermost?.signal.reason).toBe(outer.signal.reason);
    });
    expect(outer.cancelledCaught).toBe(true);
  });

  test("in the order of the tree: parents before what is in them, in order of entry", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery(async (nursery) => {
        const note = (scope: CancelScope) => scope.signal.addEventListener("abort", () => log.push(scope.name));
        note(nursery);
        for (const name of ["a", "b"]) {
          nursery.startSoon(
            async (task) => {
              note(task);
              await new CancelScope({ name: `${name} inside` }).run((scope) => {
                note(scope);
                return sleepForever();
              });
            },
            { name },
          );
        }
        await sleep(1);
        nursery.cancel();
      }),
    );
    expect(log).toEqual(["nursery", "a", "a inside", "b", "b inside"]);
  });
});

test("LT6: a task that is started in a cancelled nursery begins, and runs up to its first checkpoint", async () => {
  const log: string[] = [];
  await simulate(() =>
    openNursery((nursery) => {
      nursery.cancel();
      nursery.startSoon(async () => {
        log.push("begun");
        await checkpoint();
        log.push("never");
      });
    }),
  );
  expect(log).toEqual(["begun"]);
});

describe("LT12:", () => {
  test("throwIfCancelled() does nothing outside a cancelled scope, throws inside, and is no checkpoint", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.throwIfCancelled();
        scope.cancel();
        expect(thrownBy(() => scope.throwIfCancelled())).toBe(scope.signal.reason);
      }),
    );
  });

  test("a shielded checkpoint never throws, and lets others run", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      nursery.startSoon(() => {
        log.push("other");
      });
      await inCancelled(async () => {
        await shield(() => checkpoint());
        log.push("after");
      });
    });
    expect(log).toEqual(["other", "after"]);
  });
});

test("LT13: checkpoint() yields first and looks then: what is cancelled meanwhile throws in that same checkpoint", async () => {
  const log: string[] = [];
  const scope = new CancelScope();
  await simulate(async (nursery) => {
    nursery.startSoon(() => {
      log.push("cancels");
      scope.cancel();
    });
    await scope.run(async () => {
      await checkpoint();
      log.push("never");
    });
  });
  expect(log).toEqual(["cancels"]);
  expect(scope.cancelledCaught).toBe(true);
});

describe("LT16: an operation that is cancelled never happened, also if it could be done at once:", () => {
  for (const { name, prepare } of immediate) {
    test(name, async () => {
      await simulate((nursery) =>
        new CancelScope().run(async (scope) => {
          const { call, trace } = await prepare(nursery);
          const before = trace();
          scope.cancel();
          expect(await rejectionOf(call())).toBeInstanceOf(Cancelled);
          expect(trace()).toEqual(before);
        }),
      );
    });
  }
});

test("R14: where the platform's abort() throws what a listener throws, that is reported, and the rest are still cancelled", async () => {
  const boom = new Error("boom");
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  const abort = vi.spyOn(AbortController.prototype, "abort").mockImplementationOnce(() => {
    throw boom;
  });
  try {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope().run(async (inner) => {
          const signals = [outer.signal, inner.signal];
          outer.cancel();
          expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
          expect(await rejectionOf(checkpoint())).toBe(inner.signal.reason);
        }),
      ),
    );
    expect(uncaught).toEqual([boom]);
  } finally {
    abort.mockRestore();
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
});
