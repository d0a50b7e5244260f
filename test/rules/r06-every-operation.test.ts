import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, MissingScopeError, now, run, ScopeEndedError, sleep, WouldBlock } from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf } from "../kernel/support.js";
import { type Operation, READY, WAITING, type WaitingOperation } from "../support/operations.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

/** What comes from outside comes by promises, which takes a moment. */
async function soon(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** It has had no effect, or says that something goes on without it, which ends it then. */
async function expectNoEffect({ effect, complete }: WaitingOperation, before: unknown, root: CancelScope): Promise<void> {
  if (root.abandoned === 0) expect(effect()).toEqual(before);
  else complete?.();
  await soon();
  expect(root.abandoned).toBe(0);
}

/** What needs somebody who waits cannot be done when there is nobody any more. */
function attempt(complete: (() => unknown) | undefined): void {
  try {
    complete?.();
  } catch (error) {
    expect(error).toBeInstanceOf(WouldBlock);
  }
}

const operations = Object.entries(WAITING);

/** Those that come to an end by time alone, or by a task. */
const ENDLESS = new Set([
  "sleep()",
  "sleepUntil()",
  "sleepForever()",
  "acquire() of a lock that is held",
  "acquire() of a rate limiter without tokens",
  "wait() of a barrier",
  "wait() of a condition",
  "join() of a task that goes on",
  "select() of a task that goes on",
  "select() of a timeout",
]);

/** Those that are called off, and come to their end all the same: what they bring is not lost. */
const FOREIGN = new Set(["fromCallback()", "cancellable() of what takes the signal"]);

describe.each(operations)("%s that waits", (name, making) => {
  test("R6: throws the cancellation when that comes, and has had no effect", async () => {
    await simulate(async (root) => {
      const operation = await making(root);
      const before = operation.effect();
      for (const by of ["ambient", "scope", "signal"]) {
        const scope = new CancelScope({ timeout: 5 });
        const begin = now();
        let error: unknown;
        await scope.run(async () => {
          const where = by === "ambient" ? undefined : by === "scope" ? scope : { signal: scope.signal };
          error = await rejectionOf(operation.run(where));
        });
        expect([error, now(), scope._firstWaiter]).toEqual([reasonOf(scope), begin + 5, undefined]);
        await expectNoEffect(operation, before, root);
      }
    });
  });

  test("R12: is cancelled by a foreign signal, and leaves no listener on it", async () => {
    await simulate(async (root) => {
      const operation = await making(root);
      const before = operation.effect();
      const controller = new AbortController();
      const { signal } = controller;
      const told = rejectionOf(operation.run({ signal }));
      await sleep(1);
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      controller.abort("expected");
      expect(await told).toMatchObject({ kind: "signal", cause: "expected" });
      expect(getEventListeners(signal, "abort")).toEqual([]);
      await expectNoEffect(operation, before, root);
    });
  });

  test("R12: works where scopes are passed as arguments", async () => {
    await run(
      async (root) => {
        const operation = await making(root);
        const before = operation.effect();
        const scope = new CancelScope();
        await scope.run(async () => {
          const told = rejectionOf(operation.run(scope));
          await sleep(0, root);
          scope.cancel();
          expect(await told).toBe(reasonOf(scope));
        }, root);
        await expectNoEffect(operation, before, root);
      },
      { ambient: false },
    );
  });

  test("R14: gets nothing any more once it is cancelled, also from an abort listener", async () => {
    await simulate(async (root) => {
      const operation = await making(root);
      const inner = new CancelScope();
      let error: unknown;
      await new CancelScope().run(async (scope) => {
        scope.signal.addEventListener("abort", () => attempt(operation.complete));
        await inner.run(async (own) => {
          const outcome = operation.run(own).then(
            () => "done",
            (thrown) => thrown,
          );
          await sleep(1);
          scope.cancel();
          error = await outcome;
        });
      });
      expect(error).toBe(FOREIGN.has(name) ? "done" : reasonOf(inner));
    });
  });

  test("R17: that nobody awaits is ended with its scope, and reports nothing", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      simulate(async (root) => {
        const operation = await making(root);
        const before = operation.effect();
        let floating: Promise<unknown> = Promise.resolve();
        await new CancelScope().run(() => {
          floating = operation.run();
          // An async function of the user's, which is reported as any floating promise is.
          if (name === "wait() of a condition") floating.catch(() => {});
        });
        await sleep(1);
        expect(await rejectionOf(floating)).toBeInstanceOf(Cancelled);
        await expectNoEffect(operation, before, root);
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });
});

describe("R6: completed before its scope is cancelled,", () => {
  test.each(operations.filter(([name]) => !ENDLESS.has(name)))("%s delivers", async (_, making) => {
    await simulate(async (root) => {
      const { run, complete } = await making(root);
      await new CancelScope().run(async (scope) => {
        const outcome = run();
        complete?.();
        await soon();
        scope.cancel();
        await outcome;
      });
    });
  });
});

describe("R12: brought to its end under a foreign signal,", () => {
  test.each(operations.filter(([name]) => !ENDLESS.has(name)))("%s has removed its listener", async (_, making) => {
    await simulate(async (root) => {
      const { run, complete } = await making(root);
      const { signal } = new AbortController();
      const outcome = run({ signal });
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      complete?.();
      await outcome;
      expect(getEventListeners(signal, "abort")).toEqual([]);
    });
  });
});

describe.each(Object.entries({ ...READY, ...WAITING }))("R13: %s", (_, making) => {
  test("is an error in a scope that has ended, and without one, and has no effect", async () => {
    const ended = new CancelScope();
    let made: Operation | undefined;
    await simulate(async (root) => {
      made = await making(root);
      const before = made.effect();
      await ended.run(() => {});
      await rejectionAs(ScopeEndedError, made.run(ended));
      expect(made.effect()).toEqual(before);
    });
    const { run, effect } = made as Operation;
    const before = effect();
    await rejectionAs(MissingScopeError, run());
    expect(effect()).toEqual(before);
  });
});
