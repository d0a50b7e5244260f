import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  Event,
  isCancellation,
  moveOnAfter,
  type Nursery,
  openNursery,
  type Parked,
  park,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";
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

describe("LT7: a blocked operation is undone inside cancel(), and throws on its next turn:", () => {
  for (const { name, prepare } of waiting) {
    test(name, async () => {
      await simulate(async (nursery) => {
        const scope = new CancelScope();
        const { call, trace, complete } = await prepare(nursery);
        const before = trace();
        let ending: unknown;
        nursery.startSoon(() =>
          scope.run(async () => {
            ending = "waits";
            ending = await rejectionOf(call());
          }),
        );
        await sleep(1);
        scope.cancel();
        expect(trace()).toEqual(before);
        expect(ending).toBe("waits");
        complete?.();
        await checkpoint();
        await checkpoint();
        expect(ending).toBe(reasonOf(scope));
      });
    });
  }
});

describe("LT8: whichever of completion and cancellation comes first has the say:", () => {
  for (const { name, prepare } of waiting.filter((operation) => !/sleep/.test(operation.name))) {
    test(`${name}: completed, then cancelled`, async () => {
      const log: string[] = [];
      await simulate(async (nursery) => {
        const scope = new CancelScope();
        const { call, complete } = await prepare(nursery);
        nursery.startSoon(() =>
          scope.run(async () => {
            await call();
            log.push("delivered");
            await checkpoint();
            log.push("never");
          }),
        );
        await sleep(1);
        complete?.();
        // A lock and a task are given up by their holders, on their next turns.
        if (name.includes("another task") || name.startsWith("join")) for (let i = 0; i < 4 && log.length === 0; i++) await checkpoint();
        scope.cancel();
        await checkpoint();
      });
      expect(log).toEqual(["delivered"]);
    });
  }

  test("an event is set, then the scope is cancelled in the same step: the wait has its value", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      const event = new Event();
      nursery.startSoon(() =>
        scope.run(async () => {
          await event.wait();
          log.push("delivered");
        }),
      );
      await sleep(1);
      event.set();
      scope.cancel();
    });
    expect(log).toEqual(["delivered"]);
  });
});

describe("LT9: an operation that cannot be interrupted refuses, by returning false when it is to be undone:", () => {
  interface Refusing {
    readonly handle: Parked<string>;
    readonly asked: () => number;
    readonly ended: () => unknown;
    readonly scope: CancelScope;
  }

  /** A task that waits for something that refuses. */
  async function refusing(nursery: Nursery): Promise<Refusing> {
    const scope = new CancelScope();
    let handle: Parked<string> | undefined;
    let asked = 0;
    let ended: unknown;
    nursery.startSoon(() =>
      scope.run(async () => {
        ended = await park<string>((parked) => {
          handle = parked;
          return () => {
            asked++;
            return false;
          };
        }).catch((error) => error);
        await checkpoint();
      }),
    );
    await sleep(1);
    return { handle: handle as Parked<string>, asked: () => asked, ended: () => ended, scope };
  }

  test("it is then completed normally, and the next checkpoint throws", async () => {
    await simulate(async (nursery) => {
      const { handle, ended, scope } = await refusing(nursery);
      scope.cancel();
      await sleep(10);
      expect(ended()).toBe(undefined);
      expect(handle.wake("late")).toBe(true);
      await sleep(1);
      expect(ended()).toBe("late");
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test("LT10: or it ends with the cancellation later, by failing with the reason", async () => {
    await simulate(async (nursery) => {
      const { handle, ended, scope } = await refusing(nursery);
      scope.cancel();
      await sleep(10);
      expect(handle.fail(scope.signal.reason)).toBe(true);
      await sleep(1);
      expect(ended()).toBe(scope.signal.reason);
    });
  });

  test("LT10: it is asked once, however many scopes around it are cancelled", async () => {
    await simulate(async (nursery) => {
      await openNursery(async (outer) => {
        const { handle, asked, scope } = await refusing(outer);
        scope.cancel();
        outer.cancel();
        nursery.startSoon(async () => {
          await sleep(10);
          expect(asked()).toBe(1);
          handle.wake("late");
        });
      });
    });
  });

  test("LT10: also if the scope is left meanwhile: its end waits for it", async () => {
    await simulate(async (nursery) => {
      let asked = 0;
      let handle: Parked<string> | undefined;
      let ended: unknown = "not yet";
      const scope = new CancelScope();
      nursery.startSoon(async () => {
        await scope.run(async () => {
          void park<string>((parked) => {
            handle = parked;
            return () => {
              asked++;
              return false;
            };
          }).then(
            (value) => {
              ended = value;
            },
            () => {
              ended = "cut off";
            },
          );
          await sleep(1);
          scope.cancel();
        });
        expect(ended).toBe("late");
      });
      await sleep(10);
      expect(ended).toBe("not yet");
      handle?.wake("late");
      await sleep(1);
      expect([asked, ended]).toEqual([1, "late"]);
    });
  });
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

describe("isCancellation() tells, where an error is caught, whether to throw it on:", () => {
  test("the cancellation of the scope, in whatever form it came", async () => {
    await inSimulation(async (scope) => {
      scope.cancel();
      expect(isCancellation(scope.signal.reason)).toBe(true);
      expect(isCancellation(new Error("x", { cause: scope.signal.reason }))).toBe(true);
      expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(true);
      expect(isCancellation(new Error("x"))).toBe(false);
    });
  });

  test("nothing in a scope that is not cancelled", async () => {
    await inSimulation(async () => expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(false));
  });

  test("of the scope that it is passed, or of that of a signal", async () => {
    await inSimulation(async (outer) => {
      outer.cancel();
      const reason = outer.signal.reason;
      const inner = new CancelScope({ shield: true });
      await inner.run(() => {
        expect(isCancellation(reason)).toBe(false);
        expect(isCancellation(reason, inner)).toBe(false);
        expect(isCancellation(reason, outer)).toBe(true);
        expect(isCancellation(reason, { signal: outer.signal })).toBe(true);
      });
    });
  });

  test("where there is no scope, any Cancelled, and nothing else", async () => {
    const scope = await simulate(() => inCancelled(async () => {}));
    expect(isCancellation(reasonOf(scope))).toBe(true);
    expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(false);
  });

  test("asking is no verdict: an error that was asked for, and then thrown on, is counted once", async () => {
    await simulate(async (nursery) => {
      await inCancelled(async () => {
        const error = new DOMException("no link", "AbortError");
        expect(isCancellation(error)).toBe(true);
        throw error;
      });
      expect(nursery._tree?.assumedCancellations).toBe(1);
    });
  });

  test("misuse is misuse", () => {
    expect(thrownBy(() => isCancellation(new Error("x"), new CancelScope()))).toMatchObject({ name: "UsageError" });
    expect(thrownBy(() => isCancellation(new Error("x"), 1 as never))).toBeInstanceOf(TypeError);
  });

  async function inSimulation(body: (scope: CancelScope) => Promise<void>): Promise<void> {
    const scope = new CancelScope();
    await simulate(() => scope.run(body));
  }
});
