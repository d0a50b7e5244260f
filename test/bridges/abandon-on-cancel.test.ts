import { describe, expect, test } from "vitest";
import {
  abandonOnCancel,
  type Cancellable,
  CancelScope,
  checkpoint,
  MissingScopeError,
  moveOnAfter,
  now,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { deferred } from "./support.js";

const boom = new Error("boom");

test("resolves and rejects as the promise does, while nothing is cancelled", async () => {
  await simulate(async () => {
    expect(await abandonOnCancel(sleep(5).then(() => "value"))).toBe("value");
    expect(now()).toBe(5);
    expect(await rejectionOf(abandonOnCancel(Promise.reject(boom)))).toBe(boom);
  });
});

test("stops waiting when the scope is cancelled, with the cancellation", async () => {
  await simulate(async () => {
    const scope = new CancelScope({ timeout: 5 });
    await scope.run(async () => {
      expect(await rejectionOf(abandonOnCancel(new Promise(() => {})))).toBe(reasonOf(scope));
      await checkpoint();
    });
    expect([now(), scope.cancelledCaught]).toEqual([5, true]);
  });
});

describe("what is left behind", () => {
  test("is counted in the scope and in all around it, as long as it goes on, also after their ends", async () => {
    await simulate(async (root) => {
      const operations = [deferred(), deferred()];
      const inner = new CancelScope();
      await openNursery(async (nursery) => {
        await inner.run(async () => {
          for (const { promise } of operations) void abandonOnCancel(promise);
          inner.cancel();
        });
        expect([inner.abandoned, nursery.abandoned, root.abandoned]).toEqual([2, 2, 2]);
        nursery.cancel();
      });
      operations[0]?.resolve();
      await checkpoint();
      expect([inner.abandoned, root.abandoned]).toEqual([1, 1]);
      operations[1]?.reject(boom);
      await checkpoint();
      expect([inner.abandoned, root.abandoned]).toEqual([0, 0]);
    });
  });

  test("is not counted before it is, nor when it settles in time", async () => {
    await simulate(async (root) => {
      const { promise, resolve } = deferred();
      const wait = abandonOnCancel(promise);
      expect(root.abandoned).toBe(0);
      resolve();
      await wait;
      expect(root.abandoned).toBe(0);
    });
  });

  test("is counted by the right ones, also of a task that has moved to another nursery meanwhile", async () => {
    await simulate(async (root) => {
      const { promise, resolve } = deferred();
      await openNursery(async (target) => {
        await openNursery((caller) =>
          target.start<void>(async (_task, started) => {
            await new CancelScope().run((scope) => {
              void abandonOnCancel(promise);
              scope.cancel();
            });
            expect([caller.abandoned, target.abandoned]).toEqual([1, 1]);
            started();
          }),
        );
        resolve();
        await checkpoint();
        expect([target.abandoned, root.abandoned]).toEqual([0, 0]);
      });
    });
  });

  test("of a run that has settled is still counted on it", async () => {
    const { promise, resolve } = deferred();
    let root: CancelScope | undefined;
    await run(async (nursery) => {
      root = nursery;
      void abandonOnCancel(promise).catch(() => {});
      nursery.cancel();
    });
    expect(root?.abandoned).toBe(1);
    resolve();
    await Promise.resolve();
    expect(root?.abandoned).toBe(0);
  });

  test("gives its late value to onLate, undefined too", async () => {
    await simulate(async () => {
      const late: unknown[] = [];
      for (const value of ["value", undefined]) {
        const { promise, resolve } = deferred<unknown>();
        await moveOnAfter(1, () => abandonOnCancel(promise, { onLate: (value) => late.push(value) }));
        resolve(value);
        await checkpoint();
      }
      expect(late).toEqual(["value", undefined]);
    });
  });

  test("has its late value disposed where there is no onLate, asynchronously if it can be", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const values: (Disposable | AsyncDisposable)[] = [
        { [Symbol.dispose]: () => void log.push("sync") },
        { [Symbol.dispose]: () => void log.push("not this"), [Symbol.asyncDispose]: async () => void log.push("async") } as AsyncDisposable,
      ];
      for (const value of values) {
        const { promise, resolve } = deferred<object>();
        await moveOnAfter(1, () => abandonOnCancel(promise));
        resolve(value);
        await checkpoint();
      }
      expect(log).toEqual(["sync", "async"]);
    });
  });

  test("if that fails, it is reported to the process, for there is nobody else to tell", async () => {
    const reported: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => reported.push(error));
    try {
      await simulate(async () => {
        const fails = () => {
          throw boom;
        };
        const rejects = () => Promise.reject(boom);
        const uses: [unknown, ((value: unknown) => unknown) | undefined][] = [
          ["value", fails],
          ["value", rejects],
          [{ [Symbol.dispose]: fails }, undefined],
          [{ [Symbol.asyncDispose]: rejects }, undefined],
        ];
        for (const [value, onLate] of uses) {
          const { promise, resolve } = deferred<unknown>();
          await moveOnAfter(1, () => abandonOnCancel(promise, { onLate }));
          resolve(value);
          await sleep(1);
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    expect(reported).toEqual([boom, boom, boom, boom]);
  });

  test("may reject late: that is dropped, and not reported", async () => {
    const unhandled = await unhandledDuring(() =>
      simulate(async () => {
        const { promise, reject } = deferred();
        await moveOnAfter(1, () => abandonOnCancel(promise));
        reject(boom);
        await checkpoint();
      }),
    );
    expect(unhandled).toEqual([]);
  });
});

describe("in a scope that is cancelled already", () => {
  test("the promise is left behind at once: counted, its value received, its failure dropped", async () => {
    const unhandled = await unhandledDuring(() =>
      simulate(async (root) => {
        const late: unknown[] = [];
        const operations = [deferred<string>(), deferred<string>()];
        await new CancelScope().run(async (scope) => {
          scope.cancel();
          for (const { promise } of operations) {
            const wait = abandonOnCancel(promise, { onLate: (value) => late.push(value) });
            expect(await rejectionOf(wait)).toBe(reasonOf(scope));
          }
          expect(scope.abandoned).toBe(2);
        });
        operations[0]?.resolve("value");
        operations[1]?.reject(boom);
        await checkpoint();
        expect([late, root.abandoned]).toEqual([["value"], 0]);
      }),
    );
    expect(unhandled).toEqual([]);
  });

  test("a value that is there already is late as well", async () => {
    await simulate(async () => {
      const late: unknown[] = [];
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        await abandonOnCancel(Promise.resolve("value"), { onLate: (value) => late.push(value) });
      });
      expect(late).toEqual(["value"]);
    });
  });

  test("the same in a scope that has ended", async () => {
    await simulate(async (root) => {
      const { promise, resolve } = deferred();
      const scope = new CancelScope();
      await scope.run(() => {});
      await rejectionAs(ScopeEndedError, abandonOnCancel(promise, undefined, scope));
      expect(root.abandoned).toBe(1);
      resolve();
      await checkpoint();
      expect(root.abandoned).toBe(0);
    });
  });
});

test("left floating, it is given up when its scope is left", async () => {
  await simulate(async (root) => {
    await new CancelScope().run(() => {
      void abandonOnCancel(new Promise(() => {}));
    });
    expect([now(), root.abandoned]).toEqual([0, 1]);
  });
});

test("a shield hides the cancellation", async () => {
  await simulate(async () => {
    const { promise, resolve } = deferred<string>();
    await new CancelScope().run(async (scope) => {
      const wait = shield(() => abandonOnCancel(promise));
      scope.cancel();
      resolve("value");
      expect(await wait).toBe("value");
    });
  });
});

describe("misuse is a clear error:", () => {
  test("what is no promise", async () => {
    await simulate(async () => {
      const make = abandonOnCancel as (promise: unknown) => Promise<unknown>;
      expect((await rejectionAs(TypeError, make("value"))).message).toBe('abandonOnCancel() takes a promise, not "value"');
      const error = await rejectionAs(
        TypeError,
        make(function load() {}),
      );
      expect(error.message).toBe(
        "abandonOnCancel() takes a promise, not function load. For what has to be started first, there is cancellable()",
      );
    });
  });

  test("a thenable that cannot be asked", async () => {
    const hostile = {
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      get then(): never {
        throw boom;
      },
    };
    await simulate(async () => {
      expect(await rejectionOf(abandonOnCancel(hostile))).toBe(boom);
    });
  });

  test("no scope", async () => {
    await rejectionAs(MissingScopeError, abandonOnCancel(Promise.resolve()));
  });

  test("a scope in place of the options", async () => {
    await simulate(async () => {
      const error = await rejectionOf(abandonOnCancel(Promise.resolve(), new CancelScope() as object));
      expect((error as Error).message).toBe("abandonOnCancel() takes its options before the scope: pass undefined for no options");
    });
  });
});

test("waits in the scope that it is passed, also under a foreign signal", async () => {
  const controller = new AbortController();
  const wait = abandonOnCancel(new Promise(() => {}), undefined, controller as Cancellable);
  controller.abort();
  await expect(wait).rejects.toMatchObject({ kind: "signal" });
});
