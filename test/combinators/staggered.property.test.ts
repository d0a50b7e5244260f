import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Cancellable,
  type CancelScope,
  ErrorGroup,
  hedge,
  staggered,
  TaskCancelledError,
  type TaskFunction,
} from "../../src/index.js";
import { MODES } from "../support/passing.js";
import { schedules } from "../support/schedules.js";
import { type End, jobs } from "./jobs.js";
import { type Expected, expectSettled, type Run, runTrial, type Trial } from "./settling.js";

interface StaggeredTrial extends Trial {
  readonly delay: number;
  readonly failsClosing: boolean;
}

const trials: fc.Arbitrary<StaggeredTrial> = fc.record({
  jobs: fc.array(jobs, { minLength: 1, maxLength: 5 }),
  mode: fc.constantFrom(...MODES),
  schedule: schedules(),
  cancelledAt: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  delay: fc.constantFrom(0, 1, 2, 5, Number.POSITIVE_INFINITY),
  failsClosing: fc.boolean(),
});

/** What became of the iterable that the functions were taken from. */
interface Taking {
  taken: number;
  exhausted: number;
  closed: number;
  readonly error: Error;
}

const byNumber = (ends: readonly End[]) => [...ends].sort((a, b) => a.of - b.of);

async function run(trial: StaggeredTrial): Promise<Run & { readonly taking: Taking }> {
  const taking: Taking = { taken: 0, exhausted: 0, closed: 0, error: new Error("closing") };
  const settled = await runTrial(trial, (functions, scope) => {
    function* taken(): Generator<TaskFunction> {
      let isExhausted = false;
      try {
        for (const fn of functions) {
          taking.taken++;
          yield fn;
        }
        isExhausted = true;
        taking.exhausted++;
      } finally {
        if (!isExhausted) {
          taking.closed++;
          if (trial.failsClosing) fail(taking.error);
        }
      }
    }
    return staggered(taken(), { delay: trial.delay }, scope);
  });
  return { ...settled, taking };
}

function fail(error: Error): never {
  throw error;
}

/** As its ends tell it, without a look at the implementation. */
function expectedOf(
  { failsClosing }: StaggeredTrial,
  { journal, settled, wasCancelled, taking }: Awaited<ReturnType<typeof run>>,
): Expected {
  if (taking.closed > 0 && failsClosing) return { failures: [taking.error] };
  const { ends } = journal;
  const wasCutOff = taking.closed > 0 || ends.some(({ how }) => how === "cancellation");
  const first = ends.find(({ how }) => how === "value");
  if (first !== undefined) return wasCancelled && wasCutOff ? { failures: [] } : { value: first.what };
  if (wasCutOff) return { failures: [] };
  const { errors } = (settled as { error: ErrorGroup }).error;
  expect(errors.length).toBe(ends.length);
  for (const [i, { how, what }] of byNumber(ends).entries()) {
    if (how === "failure") expect(errors[i]).toBe(what);
    else expect(errors[i]).toBeInstanceOf(TaskCancelledError);
  }
  return { failures: errors, isGrouped: true };
}

test("staggered(): whatever the functions do, whenever it is cancelled: the first success, all failures, or the cancellation; the source is closed", async () => {
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const outcome = await run(trial);
      const { journal, taking } = outcome;
      // What was taken was begun, and has ended; the iterable has come to its end, or was told that no more is wanted of it.
      expect([journal.begun, journal.ends.length]).toEqual([taking.taken, taking.taken]);
      expect(taking.exhausted + taking.closed).toBe(1);
      const winner = journal.ends.find(({ how }) => how === "value")?.what;
      expectSettled(outcome, expectedOf(trial, outcome), (resource) => resource === winner);
    }),
    { numRuns: 1000 },
  );
});

test("hedge() of a function is staggered() of it several times", async () => {
  const hedged = (delay: number) => (functions: ((scope: CancelScope) => Promise<unknown>)[], scope: Cancellable | undefined) =>
    hedge(
      (task, attempt) => (functions[attempt - 1] as (task: CancelScope) => unknown)(task),
      { delay, attempts: functions.length },
      scope,
    );
  const story = ({ settled, journal: { ends, resources } }: Run) => [
    settled.ok ? ["value", String(settled.value)] : textsOf(settled.error),
    ends.map(({ of, how }) => `${of} ${how}`),
    resources.map(({ of, disposals }) => [of, disposals]),
  ];
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const one = await runTrial(trial, hedged(trial.delay));
      const other = await runTrial(trial, (functions, scope) => staggered(functions, { delay: trial.delay }, scope));
      expect(story(one)).toEqual(story(other));
    }),
    { numRuns: 300 },
  );
});

/** What it says, where the two differ only in their names. */
function textsOf(error: unknown): string[] {
  const errors = error instanceof ErrorGroup ? error.errors : [error];
  return errors.map((each) =>
    String(each)
      .replaceAll(/hedge|staggered|task#/g, "")
      .replaceAll(/root > .*? was/g, "it was"),
  );
}
