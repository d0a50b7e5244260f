import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  cancellable,
  checkpoint,
  isCancellation,
  moveOnAfter,
  now,
  OperationAborted,
  openNursery,
  run,
  type Settle,
  shield,
  sleep,
  UsageError,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { type Deferred, deferred, hostileErrors } from "./support.js";

const boom = new Error("boom");

/** In a scope of its own: an operation that is under way. */
async function underWay(
  options: { readonly onCancel?: () => unknown; readonly settle?: Settle; readonly onLate?: (value: string) => unknown },
  body: (operation: Deferred<string> & { readonly wait: Promise<string>; readonly scope: CancelScope }) => Promise<unknown>,
): Promise<CancelScope> {
  const scope = new CancelScope({ name: "scope" });
  await scope.run(async () => {
    const operation = deferred<string>();
    const wait = cancellable(() => operation.promise, options);
    await body({ ...operation, wait, scope });
  });
  return scope;
}

describe("without a cancellation", () => {
  test("resolves to the value, which may come at once, and throws the error as it is", async () => {
    await simulate(async () => {
      expect(await cancellable(() => sleep(5).then(() => "value"))).toBe("value");
      expect(await cancellable(() => "at once")).toBe("at once");
      expect(await rejectionOf(cancellable(() => Promise.reject(boom)))).toBe(boom);
      expect(
        await rejectionOf(
          cancellable(() => {
            throw boom;
          }),
        ),
      ).toBe(boom);
    });
  });

  test("an error that looks like an abort is a failure, which nothing has caused", async () => {
    await simulate(async () => {
      const abort = new DOMException("of somebody else", "AbortError");
      const failing = new CancelScope().run(() => cancellable(() => Promise.reject(abort)));
      expect(await rejectionOf(failing)).toBe(abort);
    });
  });

  test("passes the signal of the scope, also after the operation: what it has returned can still be aborted", async () => {
    await simulate(async () => {
      await new CancelScope().run(async (scope) => {
        const signal = await cancellable(async (signal) => signal);
        expect(signal).toBe(scope.signal);
        expect(signal.aborted).toBe(false);
        scope.cancel();
        expect(signal.aborted).toBe(true);
      });
    });
  });

  test("`start` is called at once, in the async context of the caller", async () => {
    await simulate(async () => {
      let isCalled = false;
      const wait = cancellable(() => {
        isCalled = true;
      });
      expect(isCalled).toBe(true);
      await wait;
    });
  });

  test("a promise that cannot even be looked at is a failure", async () => {
    await simulate(async () => {
      const hostile = Object.defineProperty(Promise.resolve(), "constructor", {
        get() {
          throw boom;
        },
      });
      expect(await rejectionOf(cancellable(() => hostile))).toBe(boom);
    });
  });

  test("a thenable of any kind will do; what it does more than once, or throws after it, does not count", async () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      then(resolve: (value: string) => void, reject: (error: unknown) => void) {
        resolve("first");
        resolve("second");
        reject(boom);
        throw boom;
      },
    };
    await simulate(async () => {
      expect(await cancellable(() => thenable as PromiseLike<string>)).toBe("first");
    });
  });
});

describe("cancelled", () => {
  test("waits on until the operation has settled, and takes whatever it rejects with for the cancellation", async () => {
    await simulate(async () => {
      const scope = await underWay({}, async ({ scope, wait, reject }) => {
        scope.cancel();
        await shield(() => sleep(5));
        reject(boom);
        const error = await rejectionAs(OperationAborted, wait);
        expect([error.name, error.original, error.cause, error.message]).toEqual([
          "AbortError",
          boom,
          reasonOf(scope),
          "the operation was cancelled, and rejected with Error: boom",
        ]);
        expect(isCancellation(error)).toBe(true);
        throw error;
      });
      expect([scope.cancelledCaught, now()]).toEqual([true, 5]);
    });
  });

  test("what leaves a scope around it is the one Cancelled, not that error", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const failing = openNursery(async () => {
          await cancellable(async () => {
            outer.cancel();
            throw boom;
          });
        });
        expect(await rejectionOf(failing)).toBe(reasonOf(outer));
      }),
    );
  });

  test("an error that says by itself whose it is goes on as it is; one that only looks like it is kept in another", async () => {
    await simulate(async () => {
      const make: ((reason: unknown) => unknown)[] = [
        (reason) => reason,
        (reason) => new Error("wraps it", { cause: reason }),
        (reason) => Object.assign(new Error("of Node", { cause: reason }), { name: "AbortError", code: "ABORT_ERR" }),
      ];
      for (const of of make) {
        await underWay({}, async ({ scope, wait, reject }) => {
          scope.cancel();
          const error = of(reasonOf(scope));
          reject(error);
          expect(await rejectionOf(wait)).toBe(error);
        });
      }
      await underWay({}, async ({ scope, wait, reject }) => {
        scope.cancel();
        const error = new DOMException("unlinked", "AbortError");
        reject(error);
        expect((await rejectionAs(OperationAborted, wait)).original).toBe(error);
      });
    });
  });

  test("a mixed group of errors is the cancellation as well: it is one operation", async () => {
    await simulate(async () => {
      const scope = await underWay({}, async ({ scope, wait, reject }) => {
        scope.cancel();
        reject(new AggregateError([reasonOf(scope), boom]));
        await wait;
      });
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test("an error of which nothing can be asked is, too", async () => {
    await simulate(async () => {
      for (const error of hostileErrors()) {
        const scope = await underWay({}, async ({ scope, wait, reject }) => {
          scope.cancel();
          reject(error);
          expect((await rejectionAs(OperationAborted, wait)).original).toBe(error);
          await wait;
        });
        expect(scope.cancelledCaught).toBe(true);
      }
    });
  });

  test("a value that comes all the same is returned, and the next checkpoint throws", async () => {
    await simulate(async () => {
      await underWay({}, async ({ scope, wait, resolve }) => {
        scope.cancel();
        resolve("value");
        expect(await wait).toBe("value");
        expect(await rejectionOf(checkpoint())).toBe(reasonOf(scope));
      });
    });
  });

  test("the scope is not left before the operation has settled, also if nobody awaits it", async () => {
    await simulate(async (root) => {
      const { promise, reject } = deferred();
      const onCancel = () => void root.startSoon(() => sleep(5).then(() => reject(boom)));
      await moveOnAfter(1, async () => {
        void cancellable(() => promise, { onCancel });
        await sleep(10);
      });
      expect(now()).toBe(6);
    });
  });
});

describe("onCancel", () => {
  test("is called once, synchronously, when the scope is cancelled, and before its abort listeners", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await underWay({ onCancel: () => log.push("called off") }, async ({ scope, wait, reject }) => {
        scope.signal.addEventListener("abort", () => log.push("aborted"));
        scope.cancel();
        expect(log).toEqual(["called off", "aborted"]);
        scope.cancel();
        reject(boom);
        await wait;
      });
      expect(log).toEqual(["called off", "aborted"]);
    });
  });

  test("is not called when the operation has settled before, nor when it was never started", async () => {
    await simulate(async () => {
      let isCalled = false;
      const onCancel = () => {
        isCalled = true;
      };
      await underWay({ onCancel }, async ({ scope, wait, resolve }) => {
        resolve("value");
        await wait;
        scope.cancel();
      });
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        const refused = cancellable(
          () => {
            throw boom;
          },
          { onCancel },
        );
        expect(await rejectionOf(refused)).toBe(reasonOf(scope));
      });
      expect(isCalled).toBe(false);
    });
  });

  test("that throws, or rejects, is a failure, and ends the wait; the operation is left behind", async () => {
    await simulate(async (root) => {
      const makes = [
        () => {
          throw boom;
        },
        () => Promise.reject(boom),
      ];
      for (const onCancel of makes) {
        let operation: Deferred<string> | undefined;
        const failing = underWay({ onCancel }, async (own) => {
          operation = own;
          own.scope.cancel();
          expect(await rejectionOf(own.wait)).toBe(boom);
          await own.wait;
        });
        expect(await rejectionOf(failing)).toBe(boom);
        expect(root.abandoned).toBe(1);
        operation?.resolve("late");
        await checkpoint();
        expect(root.abandoned).toBe(0);
      }
    });
  });

  test("a promise that it returns is awaited, also if the operation has settled", async () => {
    await simulate(async (root) => {
      await underWay({ onCancel: () => sleep(5, root) }, async ({ scope, wait, resolve }) => {
        scope.cancel();
        resolve("value");
        expect(await wait).toBe("value");
      });
      expect(now()).toBe(5);
    });
  });

  test("a thenable that cannot be asked is a failure", async () => {
    await simulate(async () => {
      const hostile = {
        // biome-ignore lint/suspicious/noThenProperty: it is what is tested
        get then(): never {
          throw boom;
        },
      };
      const failing = underWay({ onCancel: () => hostile }, async ({ scope, wait }) => {
        scope.cancel();
        await wait;
      });
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });
});

describe('settle: "now"', () => {
  test("ends the wait at once, and counts what is left behind, in the scope and in those around it, until it settles", async () => {
    await simulate(async (root) => {
      let operation: Deferred<string> | undefined;
      const late: string[] = [];
      const scope = await underWay({ settle: "now", onLate: (value) => late.push(value) }, async (own) => {
        operation = own;
        own.scope.cancel();
        expect(await rejectionOf(own.wait)).toBe(reasonOf(own.scope));
        await own.wait;
      });
      expect([scope.cancelledCaught, scope.abandoned, root.abandoned]).toEqual([true, 1, 1]);
      operation?.resolve("late");
      await checkpoint();
      expect([late, scope.abandoned, root.abandoned]).toEqual([["late"], 0, 0]);
    });
  });

  test("what it leaves behind may reject: that is dropped", async () => {
    const unhandled = await unhandledDuring(() =>
      simulate(async (root) => {
        let operation: Deferred<string> | undefined;
        await underWay({ settle: "now" }, async (own) => {
          operation = own;
          own.scope.cancel();
          await own.wait;
        });
        operation?.reject(boom);
        await checkpoint();
        expect(root.abandoned).toBe(0);
      }),
    );
    expect(unhandled).toEqual([]);
  });
});

describe("a start that is cancelled meanwhile", () => {
  test("calls off what it has started", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await new CancelScope().run(async (scope) => {
        const { promise, reject } = deferred();
        const onCancel = () => {
          log.push("called off");
          reject(boom);
        };
        await cancellable(
          () => {
            scope.cancel();
            log.push("started");
            return promise;
          },
          { onCancel },
        );
      });
      expect(log).toEqual(["started", "called off"]);
    });
  });

  test("and that throws then, is taken for the cancellation, and nothing is called off", async () => {
    await simulate(async () => {
      let isCalled = false;
      await new CancelScope().run(async (scope) => {
        const wait = cancellable(
          () => {
            scope.cancel();
            throw boom;
          },
          {
            onCancel: () => {
              isCalled = true;
            },
          },
        );
        expect((await rejectionAs(OperationAborted, wait)).original).toBe(boom);
      });
      expect(isCalled).toBe(false);
    });
  });
});

describe("left floating", () => {
  test("with onCancel, it is called off, and awaited", async () => {
    const unhandled = await unhandledDuring(() =>
      simulate(async (root) => {
        const { promise, reject } = deferred();
        await new CancelScope().run(() => {
          void cancellable(() => promise, {
            onCancel: () => {
              root.startSoon(() => sleep(5).then(() => reject(boom)));
            },
          });
        });
        expect([now(), root.abandoned]).toEqual([5, 0]);
      }),
    );
    expect(unhandled).toEqual([]);
  });

  test("without, it can be told nothing: it is left behind, and counted", async () => {
    await simulate(async (root) => {
      const { promise, resolve } = deferred();
      const late: unknown[] = [];
      await new CancelScope().run((scope) => {
        void cancellable(() => promise, { onLate: () => late.push(scope.signal.aborted) });
      });
      expect([now(), root.abandoned]).toEqual([0, 1]);
      resolve();
      await checkpoint();
      expect([root.abandoned, late]).toEqual([0, [false]]);
    });
  });

  test('with settle: "wait" it is awaited all the same', async () => {
    await simulate(async (root) => {
      await new CancelScope().run(() => {
        void cancellable(() => sleep(5, root), { settle: "wait" });
      });
      expect(now()).toBe(5);
    });
  });
});

describe("misuse is a clear error, and nothing is started:", () => {
  const start = () => {
    throw new Error("started");
  };
  test.each<[string, () => Promise<unknown>, unknown, string]>([
    [
      "a promise",
      () => cancellable(Promise.resolve() as unknown as () => void),
      UsageError,
      "cancellable() takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()",
    ],
    [
      "a wrong `settle`",
      () => cancellable(start, { settle: "never" as Settle }),
      UsageError,
      '`settle` of cancellable() is "wait" or "now", not "never"',
    ],
    [
      "a wrong `onCancel`",
      () => cancellable(start, { onCancel: 5 as never }),
      TypeError,
      "`onCancel` of cancellable() is a function, not 5",
    ],
    ["a wrong `onLate`", () => cancellable(start, { onLate: "x" as never }), TypeError, '`onLate` of cancellable() is a function, not "x"'],
    [
      "a scope in place of the options",
      () => cancellable(start, new CancelScope() as object),
      UsageError,
      "cancellable() takes its options before the scope: pass undefined for no options",
    ],
  ])("%s", async (_, call, type, message) => {
    await simulate(async () => {
      const error = await rejectionOf(call());
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message).toBe(message);
    });
  });
});

test("waits in the scope that it is passed", async () => {
  await run(
    async (root) => {
      const scope = new CancelScope({ timeout: 1 });
      await scope.run(
        (own) =>
          cancellable(
            (signal) =>
              new Promise((_, reject) => {
                signal.onabort = () => reject(boom);
              }),
            undefined,
            own,
          ),
        root,
      );
      expect(scope.cancelledCaught).toBe(true);
    },
    { ambient: false },
  );
});

test("many of them in a row leave nothing behind in their scope", async () => {
  await run(async (root) => {
    for (let i = 0; i < 10_000; i++) await cancellable(() => i);
    expect([root._firstWaiter, root.abandoned]).toEqual([undefined, 0]);
  });
});

test("a loop of operations that are done at once starves no timer", async () => {
  await run(async (root: Cancellable) => {
    let isOver = false;
    setTimeout(() => {
      isOver = true;
    }, 1);
    while (!isOver) await cancellable(() => {}, undefined, root);
  });
});
