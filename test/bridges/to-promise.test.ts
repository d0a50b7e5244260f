import { AsyncResource } from "node:async_hooks";
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  failAfter,
  moveOnAfter,
  type Nursery,
  NurseryClosedError,
  now,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
  toPromise,
  UsageError,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const boom = new Error("boom");
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("for a caller with a signal", () => {
  test("resolves to the body's value, when everything in it has ended", async () => {
    const log: string[] = [];
    const { signal } = new AbortController();
    const value = await toPromise(
      (nursery) => {
        nursery.startSoon(() => sleep(5).then(() => log.push("task ended")));
        return "value";
      },
      { signal },
    );
    expect([value, log, listeners(signal)]).toEqual(["value", ["task ended"], 0]);
  });

  test("rejects with the very reason of the signal, whatever that is; run() does not", async () => {
    for (const reason of [boom, "text", 0, null, Object.freeze({}), new DOMException("too slow", "TimeoutError")]) {
      const controller = new AbortController();
      const [promise, plain] = [
        toPromise(() => sleepForever(), { signal: controller.signal }),
        run(() => sleepForever(), { signal: controller.signal }),
      ];
      controller.abort(reason);
      expect(await rejectionOf(promise)).toBe(reason);
      expect((await rejectionAs(Cancelled, plain)).cause).toBe(reason);
      expect(listeners(controller.signal)).toBe(0);
    }
  });

  test("an AbortSignal.timeout is a TimeoutError, as in the platform's own functions", async () => {
    const promise = toPromise(() => sleepForever(), { signal: AbortSignal.timeout(1) });
    expect(await rejectionOf(promise)).toMatchObject({ name: "TimeoutError" });
  });

  test("rejects without a call of the body, if it is aborted before", async () => {
    let isCalled = false;
    const promise = toPromise(
      () => {
        isCalled = true;
      },
      { signal: AbortSignal.abort(boom) },
    );
    expect(await rejectionOf(promise)).toBe(boom);
    expect(isCalled).toBe(false);
  });

  test("cleans up before it rejects", async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const promise = toPromise(
      async (nursery) => {
        nursery.defer(() => sleep(5).then(() => log.push("cleaned up")));
        await sleepForever();
      },
      { signal: controller.signal },
    );
    controller.abort(boom);
    expect(await rejectionOf(promise)).toBe(boom);
    expect(log).toEqual(["cleaned up"]);
  });

  test("a body that comes to its end all the same has its value returned, or its failure thrown", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const [value, failure] = [
      toPromise(() => sleepForever().catch(() => "value"), { signal }),
      toPromise(() => sleepForever().catch(() => Promise.reject(boom)), { signal }),
    ];
    controller.abort();
    expect([await value, await rejectionOf(failure)]).toEqual(["value", boom]);
  });

  test("a failure is thrown as it is, and a failAfter inside is a TimeoutError of ours", async () => {
    expect(await rejectionOf(toPromise(() => Promise.reject(boom)))).toBe(boom);
    await rejectionAs(
      TimeoutError,
      toPromise(() => failAfter(1, () => sleepForever())),
    );
  });

  test("a reason that is an error of the body, too, is told once", async () => {
    const controller = new AbortController();
    const promise = toPromise(() => sleepForever().catch(() => Promise.reject(boom)), { signal: controller.signal });
    controller.abort(boom);
    expect(await rejectionOf(promise)).toBe(boom);
  });
});

describe("wherever it is called", () => {
  test("it is no child of the scope that is ambient there: that neither cancels it nor waits for it", async () => {
    let promise: Promise<unknown> | undefined;
    await run(() =>
      moveOnAfter(1, () => {
        promise = toPromise(async () => {
          await sleep(10);
          return "value";
        });
      }),
    );
    expect(await promise).toBe("value");
  });

  test("so it works in a callback whose scope has ended, where run() does not", async () => {
    let callback = () => Promise.resolve<unknown[]>([]);
    await run(() =>
      new CancelScope().run(() => {
        callback = AsyncResource.bind(() => Promise.all([rejectionOf(run(() => {})), toPromise(() => "value")]));
      }),
    );
    const [refused, value] = await callback();
    expect(refused).toBeInstanceOf(ScopeEndedError);
    expect(value).toBe("value");
  });
});

describe("with a nursery", () => {
  test("the body is a task of it: the nursery waits for it, and gives it its place in the tree", async () => {
    await simulate(async () => {
      let promise: Promise<unknown> | undefined;
      await openNursery(
        (nursery) => {
          promise = toPromise(
            async () => {
              await sleep(5);
              return currentScope()._path;
            },
            { nursery, name: "request" },
          );
        },
        { name: "server" },
      );
      expect(now()).toBe(5);
      expect(await promise).toBe("root > server > request > nursery");
    });
  });

  test("its failure is the caller's: the nursery does not fail with it", async () => {
    await simulate(async () => {
      await openNursery(async (nursery) => {
        expect(await rejectionOf(toPromise(() => Promise.reject(boom), { nursery }))).toBe(boom);
        const group = toPromise(
          (own) => {
            own.startSoon(() => Promise.reject(boom));
          },
          { nursery },
        );
        expect(await rejectionOf(group)).toBe(boom);
        await checkpoint();
      });
    });
  });

  test("is cancelled with it: for the caller that is an AbortError", async () => {
    await simulate(async () => {
      let promise: Promise<unknown> | undefined;
      let reason: unknown;
      await openNursery(async (nursery) => {
        promise = toPromise(() => sleepForever(), { nursery, signal: new AbortController().signal });
        promise.catch(() => {});
        await checkpoint();
        nursery.cancel("closing");
        reason = reasonOf(nursery);
      });
      const error = await rejectionOf(promise as Promise<unknown>);
      expect(error).toBe(reason);
      expect(error).toMatchObject({ name: "AbortError", kind: "cancel" });
    });
  });

  test("is cancelled by its signal: the reason is the caller's, and nothing else of the nursery is touched", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      await openNursery(async (nursery) => {
        const other = nursery.startSoon(() => sleep(5).then(() => "other"));
        const promise = toPromise(() => sleepForever(), { nursery, signal: controller.signal });
        await checkpoint();
        expect(listeners(controller.signal)).toBe(1);
        controller.abort(boom);
        expect(await rejectionOf(promise)).toBe(boom);
        expect(await other.join()).toBe("other");
      });
      expect(listeners(controller.signal)).toBe(0);
    });
  });

  test("is cancelled by the signal of a scope elsewhere, in the same run or in another: that is the caller's alone as well", async () => {
    const log: unknown[] = [];
    await simulate(async (nursery) => {
      nursery.startSoon(() => sleep(5).then(() => log.push("went on")));
      await new CancelScope().run(async (scope) => {
        const promise = toPromise(() => sleepForever(), { nursery, signal: scope.signal });
        const told = rejectionOf(promise);
        await sleep(1);
        scope.cancel();
        await shield(async () => expect(await told).toBe(scope.signal.reason));
      });
      const other = new AbortController();
      await run(
        (root) => {
          root.cancel("elsewhere");
          other.abort(root.signal.reason);
        },
        { detached: true },
      );
      const told = rejectionOf(toPromise(() => sleepForever(), { nursery, signal: other.signal }));
      expect(await told).toBe(other.signal.reason);
    });
    expect(log).toEqual(["went on"]);
  });

  test("under a signal of its own: what that cancels is not told as the caller's signal, although that was aborted too", async () => {
    const [outer, inner] = [new AbortController(), new AbortController()];
    let promise: Promise<unknown> | undefined;
    const running = run(
      async (nursery) => {
        promise = toPromise(() => sleepForever(), { nursery, signal: inner.signal });
        promise.catch(() => {});
        await checkpoint();
        outer.abort(boom);
        inner.abort("too late");
      },
      { signal: outer.signal },
    );
    await rejectionAs(Cancelled, running);
    expect((await rejectionAs(Cancelled, promise as Promise<unknown>)).cause).toBe(boom);
  });

  test("works where scopes are passed as arguments", async () => {
    await run(
      async (nursery) => {
        const controller = new AbortController();
        const promise = toPromise((own) => sleepForever(own), { nursery, signal: controller.signal });
        await sleep(1, nursery);
        controller.abort(boom);
        expect(await rejectionOf(promise)).toBe(boom);
        expect(await toPromise((own) => sleep(1, own).then(() => "value"), { nursery })).toBe("value");
      },
      { ambient: false },
    );
  });

  test("does not dispose the value when it is cancelled: that is the caller's", async () => {
    await simulate(async () => {
      let isDisposed = false;
      const value = {
        [Symbol.dispose]: () => {
          isDisposed = true;
        },
      };
      let promise: Promise<unknown> | undefined;
      await openNursery(async (nursery) => {
        promise = toPromise(() => value, { nursery });
        await sleep(1);
        nursery.cancel();
      });
      expect([await promise, isDisposed]).toEqual([value, false]);
    });
  });

  test("that has ended takes no more", async () => {
    await simulate(async () => {
      let ended: Nursery | undefined;
      await openNursery((nursery) => {
        ended = nursery;
      });
      await rejectionAs(
        NurseryClosedError,
        toPromise(() => {}, { nursery: ended }),
      );
    });
  });
});

describe("a promise that nobody awaits", () => {
  test("is not reported if it was cancelled, by the signal or by the nursery; if it failed, it is", async () => {
    const unhandled = await unhandledDuring(async () => {
      const controller = new AbortController();
      void toPromise(() => sleepForever(), { signal: controller.signal });
      controller.abort(new Error("aborted"));
      void toPromise(() => {}, { signal: controller.signal });
      await run(async (nursery) => {
        void toPromise(() => sleepForever(), { nursery });
        await sleep(1);
        nursery.cancel();
      });
      void toPromise(() => Promise.reject(boom));
    });
    expect(unhandled).toEqual([boom]);
  });
});

describe("misuse is a clear error:", () => {
  test.each<[string, () => Promise<unknown>, abstract new (...args: never) => Error, string]>([
    [
      "a promise",
      () => toPromise(Promise.resolve() as unknown as () => void),
      UsageError,
      "toPromise() takes a function, and got a promise",
    ],
    [
      "no signal",
      () => toPromise(() => {}, { signal: {} as AbortSignal }),
      TypeError,
      "`signal` of toPromise() takes an AbortSignal, not an object",
    ],
    [
      "no nursery",
      () => toPromise(() => {}, { nursery: "x" as unknown as Nursery }),
      TypeError,
      '`nursery` of toPromise() is a nursery, not "x"',
    ],
  ])("%s", async (_, call, type, message) => {
    const error = await rejectionOf(call());
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message.startsWith(message)).toBe(true);
  });
});

test("under random schedules: the promise tells what became of the body, and the nursery only what is its own", async () => {
  const time = fc.option(fc.nat({ max: 6 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(time, time, fc.nat({ max: 6 }), fc.boolean(), schedules(), async (abortAt, cancelAt, ms, fails, schedule) => {
      await simulate(
        async (root) => {
          const controller = new AbortController();
          const reason = new Error("reason");
          let promise: Promise<unknown> | undefined;
          const scope = new CancelScope({ timeout: cancelAt === undefined ? Number.POSITIVE_INFINITY : cancelAt + 0.25 });
          if (abortAt !== undefined) root.startSoon(() => sleep(abortAt + 0.5).then(() => controller.abort(reason)));
          await scope.run(() =>
            openNursery((nursery) => {
              const body = () => sleep(ms).then(() => (fails ? Promise.reject(boom) : "value"));
              promise = toPromise(body, { nursery, signal: controller.signal });
              promise.catch(() => {});
            }),
          );
          const [aborted, cancelled] = [(abortAt ?? Number.POSITIVE_INFINITY) + 0.5, (cancelAt ?? Number.POSITIVE_INFINITY) + 0.25];
          const first = Math.min(ms, aborted, cancelled);
          const told = await (promise as Promise<unknown>).catch((error: unknown) => error);
          if (first === ms) expect(told).toBe(fails ? boom : "value");
          else expect(told).toBe(first === aborted ? reason : reasonOf(scope));
          expect(scope.cancelledCaught).toBe(first === cancelled);
          expect([now(), listeners(controller.signal)]).toEqual([first, 0]);
        },
        { pick: pickOf(schedule) },
      );
    }),
    { numRuns: 500 },
  );
});
