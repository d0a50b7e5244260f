import fc from "fast-check";
import { expect, test } from "vitest";
import { Cancelled, CancelScope, moveOnAfter, now, ScopeEndedError, shield, sleep, sleepForever } from "../../src/index.js";
import { interpret } from "../support/interpret.js";
import { MODES } from "../support/interpreter.js";
import type { Place } from "../support/log.js";
import { programs } from "../support/programs.js";
import { schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

function refusalOf(scope: CancelScope): unknown {
  try {
    scope.throwIfCancelled();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A scope whose signal was read. What is wrong with it is collected, because a program catches what is thrown into it. */
class Watched {
  readonly #scope: CancelScope;
  readonly #signal: AbortSignal;
  readonly #wrong: string[];
  #reason: unknown = undefined;
  #heard = 0;

  constructor(scope: CancelScope, wrong: string[]) {
    this.#scope = scope;
    this.#signal = scope.signal;
    this.#wrong = wrong;
    if (this.#signal.aborted) this.#heard = 1;
    this.#signal.addEventListener("abort", () => {
      this.#heard++;
      this.#expect(refusalOf(scope) === this.#signal.reason, "what is thrown in its abort listener is its reason");
    });
  }

  #expect(isTrue: boolean, sentence: string): void {
    if (!isTrue) this.#wrong.push(`${sentence}: not for ${this.#scope.name}`);
  }

  /** Whether scope and signal agree, whichever is looked at first. */
  check(): void {
    const signal = this.#signal;
    this.#expect(this.#scope.signal === signal, "the signal stays the same object");
    const wasAborted = signal.aborted;
    const refusal = refusalOf(this.#scope);
    if (refusal instanceof ScopeEndedError) this.#expect(signal.aborted === wasAborted, "after the end nothing changes");
    else {
      // Asking commits a deadline that has passed, so what is seen before may be too early, never too late.
      if (wasAborted) this.#expect(refusal !== undefined, "what is aborted is cancelled");
      this.#expect(signal.aborted === (refusal !== undefined), "it is aborted exactly if the scope is cancelled");
      if (refusal !== undefined) this.#expect(refusal === signal.reason, "what is thrown is its reason");
    }
    this.#expect(this.#heard === (signal.aborted ? 1 : 0), "its listeners are told once");
    if (!signal.aborted) return;
    this.#expect(signal.reason instanceof Cancelled, "its reason is a Cancelled");
    this.#reason ??= signal.reason;
    this.#expect(signal.reason === this.#reason, "its reason stays the same object");
    this.#expect(this.#scope.effectiveDeadline === Number.NEGATIVE_INFINITY, "what is cancelled has no time left");
  }
}

test("at every step of a program, each signal that was read is aborted exactly if its scope is cancelled, with the object that a checkpoint throws, and for good", async () => {
  await fc.assert(
    fc.asyncProperty(
      programs(),
      schedules(),
      fc.constantFrom(...MODES),
      fc.integer({ min: 1, max: 4 }),
      async (program, schedule, mode, every) => {
        const wrong: string[] = [];
        const watched = new Map<CancelScope, Watched>();
        const watch = (scope: CancelScope): void => {
          if (!watched.has(scope)) watched.set(scope, new Watched(scope, wrong));
        };
        const checkAll = (): void => {
          for (const one of watched.values()) one.check();
        };
        const look = ({ id, scope }: Place): void => {
          if (id % every === 0) watch(scope);
          checkAll();
        };
        const { places } = await interpret(program, { schedule, mode, entered: look, executing: look });
        // Signals that are read for the first time after the end say the same.
        for (const { scope } of places) watch(scope);
        checkAll();
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test("the signal is one object for the life of its scope, also of a task that starts elsewhere and moves", async () => {
  await simulate(async (nursery) => {
    const signals: AbortSignal[] = [];
    await moveOnAfter(5, () =>
      nursery.start<void>(async (task, started) => {
        signals.push(task.signal);
        started();
        signals.push(task.signal);
        await sleep(10);
        signals.push(task.signal);
      }),
    );
    await sleep(20);
    expect(new Set(signals).size).toBe(1);
    expect(signals).toHaveLength(3);
    // It left the scope of its caller before that timed out.
    expect(signals[0]?.aborted).toBe(false);
  });
});

test("a scope that ends without having been cancelled never aborts its signal, whatever is done to it afterwards", async () => {
  await simulate(async (nursery) => {
    const scope = new CancelScope({ timeout: 5, shield: true });
    const { signal } = scope;
    await scope.run(() => sleep(1));
    scope.cancel();
    scope.deadline = now();
    nursery.cancel();
    scope.shield = false;
    await shield(() => sleep(10));
    expect(signal.aborted).toBe(false);
  });
});

test("a scope that is cancelled before its entry has its signal aborted at once", async () => {
  await simulate(async () => {
    const scope = new CancelScope();
    const heard: unknown[] = [];
    scope.signal.addEventListener("abort", () => heard.push(scope.signal.reason));
    scope.cancel("early");
    expect(heard).toEqual([refusalOf(scope)]);
    await scope.run(() => sleepForever());
    expect([scope.cancelledCaught, heard.length]).toEqual([true, 1]);
  });
});
