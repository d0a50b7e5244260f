import { expect } from "vitest";
import { type Cancellable, Cancelled, CancelScope, type ErrorGroup, sleep, TaskCancelledError } from "../../src/index.js";
import { type Mode, Passing } from "../support/passing.js";
import { pickOf, type Schedule } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { type Job, Journal } from "./jobs.js";

/** How a combinator has settled. */
export type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** One run of a combinator over jobs. */
export interface Trial {
  readonly jobs: readonly Job[];
  readonly mode: Mode;
  readonly schedule: Schedule;
  /** When everything is cancelled from outside, if it is. */
  readonly cancelledAt: number | undefined;
}

export interface Run {
  readonly settled: Settled;
  readonly journal: Journal;
  /** Whether the scope around it was cancelled when it settled. */
  readonly wasCancelled: boolean;
}

type Functions = ((scope: CancelScope) => Promise<unknown>)[];

/** Runs the combinator, and checks what holds for every one: it settles last, and nothing happens afterwards. */
export async function runTrial(
  { jobs, mode, schedule, cancelledAt }: Trial,
  combine: (functions: Functions, scope: Cancellable | undefined) => Promise<unknown>,
): Promise<Run> {
  const journal = new Journal();
  const passing = new Passing(mode);
  let run: Run | undefined;
  await simulate(
    async (root) => {
      const outer = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
      await outer.run(async () => {
        const functions = jobs.map((job, of) => journal.work(job, of, (scope) => passing.at(scope)));
        const settled = await settledOf(combine(functions, passing.at(outer)));
        expect(journal.running).toBe(0);
        run = { settled, journal, wasCancelled: outer.effectiveDeadline === Number.NEGATIVE_INFINITY };
      }, root);
      const { begun, ends, resources } = journal;
      const before = [begun, ends.length, ...resources.map(({ disposals }) => disposals)];
      await sleep(100, root);
      expect([journal.begun, ends.length, ...resources.map(({ disposals }) => disposals)]).toEqual(before);
    },
    { ambient: mode === "ambient", pick: pickOf(schedule) },
  );
  return run as Run;
}

export async function settledOf(promise: Promise<unknown>): Promise<Settled> {
  try {
    return { ok: true, value: await promise };
  } catch (error) {
    return { ok: false, error };
  }
}

/** What a combinator is to come to: a value, or failures in their order, or, where there are none, a cancellation. */
export type Expected = { readonly value: unknown } | Failures;

export interface Failures {
  readonly failures: readonly unknown[];
  /** They come in a group, also a single one, one for each function. */
  readonly isGrouped?: boolean;
  /** Failures that may come anywhere among the others. */
  readonly anywhere?: readonly unknown[];
}

/** Placeholder of a `TaskCancelledError` among the failures. */
export const CANCELLED_ITSELF = Symbol("cancelled itself");

/** Checks how it settled, and that exactly those resources were disposed that nobody got, once each; what that threw comes as well. */
export function expectSettled({ settled, journal }: Run, expected: Expected, isKept: (resource: unknown) => boolean): void {
  const { resources } = journal;
  const lost = resources.filter((resource) => !("value" in expected && isKept(resource)));
  if ("value" in expected && lost.every(({ error }) => error === undefined)) {
    expect(settled).toEqual({ ok: true, value: expected.value });
    expect(resources.filter(({ disposals }) => disposals > 0)).toEqual(lost);
    expect(lost.every(({ disposals }) => disposals === 1)).toBe(true);
    return;
  }
  // If disposing what is lost fails, what was to be returned is lost as well.
  expect(resources.map(({ disposals }) => disposals)).toEqual(resources.map(() => 1));
  const ofDisposing = resources.flatMap(({ error }) => (error === undefined ? [] : [error]));
  expectThrown(settled, "value" in expected ? { failures: [] } : expected, ofDisposing);
}

function expectThrown(settled: Settled, { failures, isGrouped = false, anywhere = [] }: Failures, ofDisposing: readonly unknown[]): void {
  if (settled.ok) throw new Error(`it resolved to ${String(settled.value)}`);
  const others = isGrouped ? [] : [...anywhere, ...ofDisposing];
  const inOrder = isGrouped ? failures : [...new Set(failures)];
  const count = inOrder.length + others.length;
  if (count === 0) {
    expect(settled.error).toBeInstanceOf(Cancelled);
    return;
  }
  const thrown: readonly unknown[] = isGrouped || count > 1 ? (settled.error as ErrorGroup).errors : [settled.error];
  expect(thrown.length).toBe(count);
  for (const error of others) expect(thrown).toContain(error);
  thrown
    .filter((error) => !others.includes(error))
    .forEach((error, i) => {
      if (inOrder[i] === CANCELLED_ITSELF) expect(error).toBeInstanceOf(TaskCancelledError);
      else expect(error).toBe(inOrder[i]);
    });
}
