import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, openNursery, run, shield, sleep, sleepForever, UsageError } from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

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

describe("SC1: before its entry a scope", () => {
  test("can be cancelled: then its body runs up to its first checkpoint", async () => {
    const log: string[] = [];
    const scope = new CancelScope();
    scope.cancel("early");
    expect(scope.signal.aborted).toBe(true);
    await simulate(() =>
      scope.run(async () => {
        log.push("begun");
        await checkpoint();
        log.push("never");
      }),
    );
    expect([log, scope.cancelledCaught]).toEqual([["begun"], true]);
  });

  test("can be given a deadline, a timeout, a shield and a name, and be entered by somebody else", async () => {
    const scope = new CancelScope({ name: "handed over" });
    scope.deadline = 5;
    scope.shield = true;
    await simulate(async (nursery) => {
      nursery.startSoon(() => scope.run(() => sleepForever()), { name: "worker" });
      await sleep(1);
      expect(
        await rejectionAs(
          UsageError,
          scope.run(() => {}),
        ),
      ).toHaveProperty("message", "the scope root > worker > handed over was entered before: a scope is used once, so make a new one");
    });
    expect(scope.cancelledCaught).toBe(true);
  });

  test("is no place to wait in", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const message = "the scope scope has not been entered: use it inside the body of its run()";
      expect(await rejectionOf(sleep(1, scope))).toEqual(new UsageError(message));
      expect(await rejectionOf(sleep(1, { signal: scope.signal }))).toEqual(new UsageError(message));
      expect(await rejectionOf(openNursery(() => {}, scope))).toEqual(new UsageError(message));
    });
  });

  test("says with throwIfCancelled() whether it is cancelled", () => {
    const scope = new CancelScope();
    scope.throwIfCancelled();
    scope.cancel();
    expect(thrownBy(() => scope.throwIfCancelled())).toBe(scope.signal.reason);
  });
});

describe("SC2: a scope is used once:", () => {
  test("it cannot be entered again inside it, nor after its end, and nothing happens to it then", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        expect(await rejectionOf(scope.run(() => {}))).toBeInstanceOf(UsageError);
        await checkpoint();
      });
      const body = () => {
        throw new Error("its body must not begin");
      };
      expect(await rejectionAs(UsageError, scope.run(body))).toHaveProperty(
        "message",
        "the scope root > scope was entered before: a scope is used once, so make a new one",
      );
      expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([false, false]);
    });
  });

  test("a run() that was refused, of a body that is no function, has not used it", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      expect(await rejectionOf(scope.run(1 as never))).toBeInstanceOf(UsageError);
      expect(await scope.run(() => "value")).toBe("value");
    });
  });
});

describe("SC8: when a scope has ended, nothing of it is left on what lives longer:", () => {
  test("no listener on a foreign signal, however many operations hung on it", async () => {
    const { signal } = new AbortController();
    await simulate(async () => {
      for (let i = 0; i < 5; i++) await sleep(1, { signal });
      await Promise.all([sleep(1, { signal }), moveOnAfter(5, () => sleep(2), { signal }), openNursery(() => sleep(1), { signal })]);
    });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("one listener while there are many", async () => {
    const { signal } = new AbortController();
    await simulate(async () => {
      const sleeping = [1, 2, 3].map((ms) => sleep(ms, { signal }));
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      await Promise.all(sleeping);
    });
  });

  test("nothing that keeps it from being collected", async () => {
    const ended = await simulate(() => collectable());
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc?.();
    expect(ended.deref()).toBe(undefined);
  });

  async function collectable(): Promise<WeakRef<CancelScope>> {
    const scope = new CancelScope({ timeout: 1 });
    await scope.run(async () => {
      void scope.signal;
      await sleepForever();
    });
    return new WeakRef(scope);
  }
});

describe("run()", () => {
  // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else
  const thenable: PromiseLike<number> = { then: (...reactions) => Promise.resolve(2).then(...reactions) };

  test("passes the scope itself, and resolves to what the body returns, now or later", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      expect(await scope.run((own) => own)).toBe(scope);
      expect(await new CancelScope().run(async () => 1)).toBe(1);
      expect(await new CancelScope().run(() => thenable)).toBe(2);
    });
  });

  test("begins its body at once, and entering and leaving are no checkpoints", async () => {
    await simulate(async (nursery) => {
      const log: string[] = [];
      nursery.startSoon(() => {
        log.push("other");
      });
      const running = new CancelScope().run(() => log.push("body"));
      expect(log).toEqual(["body"]);
      await running;
      expect(log).toEqual(["body"]);
    });
  });

  test("in a cancelled scope a body that meets no checkpoint has its value", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        outer.cancel();
        expect(await new CancelScope().run(() => "value")).toBe("value");
      }),
    );
  });

  test("R15: whatever is thrown passes as it is", async () => {
    // The same error counts once, and there 0 and -0 are the same.
    const anything = fc.anything().filter((value) => !Object.is(value, -0));
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const thrown = await rejectionOf(
          simulate(() =>
            new CancelScope().run(() => {
              throw value;
            }),
          ),
        );
        expect(Object.is(thrown, value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("R15: also a Proxy that was revoked, of which nothing can be asked, and also in a cancelled scope", async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const isCancelled of [false, true]) {
      const running = simulate(() =>
        new CancelScope().run((scope) => {
          if (isCancelled) scope.cancel();
          throw proxy;
        }),
      );
      const isThrown = await running.then(
        () => false,
        (error) => Object.is(error, proxy),
      );
      expect(isThrown).toBe(true);
    }
  });
});
