import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, openNursery, sleep, sleepForever, UsageError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

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
