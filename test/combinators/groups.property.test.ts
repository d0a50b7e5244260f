import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { all, allSettled, any, type Cancellable, type CancelScope, ErrorGroup, race, TaskCancelledError } from "../../src/index.js";
import { MODES } from "../support/passing.js";
import { schedules } from "../support/schedules.js";
import { type End, jobs } from "./jobs.js";
import { CANCELLED_ITSELF, type Expected, expectSettled, type Run, runTrial } from "./settling.js";

const trials = fc.record({
  jobs: fc.array(jobs, { minLength: 1, maxLength: 5 }),
  mode: fc.constantFrom(...MODES),
  schedule: schedules(),
  cancelledAt: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
});

type Functions = ((scope: CancelScope) => Promise<unknown>)[];

/** Runs random programs of jobs; what they come to is told by their ends, in the order in which these happened, without a look at the implementation. */
async function check(
  combine: (functions: Functions, scope: Cancellable | undefined) => Promise<unknown>,
  expectedOf: (run: Run) => Expected,
  kept: (run: Run) => (resource: unknown) => boolean,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const run = await runTrial(trial, combine);
      expect(run.journal.begun).toBe(trial.jobs.length);
      expectSettled(run, expectedOf(run), kept(run));
    }),
    { numRuns: 500 },
  );
}

const failuresOf = (ends: readonly End[]) => ends.filter(({ how }) => how === "failure").map(({ what }) => what);
const inOrder = (ends: readonly End[]) => [...ends].sort((a, b) => a.of - b.of);
const wasCutOff = ({ journal: { ends } }: Run) => ends.some(({ how }) => how === "cancellation");

describe("whatever the functions do, whenever they are cancelled, at any order of wake-ups:", () => {
  test("all() returns all values, or throws all failures, or the cancellation", async () => {
    const expectedOf = (run: Run): Expected => {
      const { ends } = run.journal;
      const failures = ends.flatMap(({ how, what }) => (how === "failure" ? [what] : how === "own cancellation" ? [CANCELLED_ITSELF] : []));
      if (failures.length > 0 || wasCutOff(run)) return { failures };
      return { value: inOrder(ends).map(({ what }) => what) };
    };
    await check(all, expectedOf, () => () => true);
  });

  test("race() settles as the first did, and throws what the losers threw", async () => {
    const expectedOf = (run: Run): Expected => {
      const { ends } = run.journal;
      const first = ends.find(({ how }) => how !== "cancellation");
      const failures = failuresOf(ends);
      if (first?.how === "own cancellation") return { failures: [CANCELLED_ITSELF, ...failures] };
      if (first?.how !== "value" || failures.length > 0 || (run.wasCancelled && wasCutOff(run))) return { failures };
      return { value: first.what };
    };
    await check(race, expectedOf, winnerIn);
  });

  test("any() returns the first value, and throws failures only if there is none", async () => {
    const expectedOf = (run: Run): Expected => {
      const { ends } = run.journal;
      const first = ends.find(({ how }) => how === "value");
      if (first !== undefined) return run.wasCancelled && wasCutOff(run) ? { failures: [] } : { value: first.what };
      if (wasCutOff(run)) return { failures: [] };
      const { settled } = run;
      if (settled.ok || !(settled.error instanceof ErrorGroup)) throw new Error("an ErrorGroup was expected");
      const { errors } = settled.error;
      inOrder(ends).forEach(({ how, what }, i) => {
        if (how === "failure") expect(errors[i]).toBe(what);
        else expect(errors[i]).toBeInstanceOf(TaskCancelledError);
      });
      expect(errors.length).toBe(ends.length);
      return { failures: errors, isGrouped: true };
    };
    const combine = (functions: Functions, scope: Cancellable | undefined) => any(functions, scope);
    await check(combine, expectedOf, winnerIn);
  });

  test("allSettled() tells how each has ended, unless it is cancelled", async () => {
    const expectedOf = (run: Run): Expected => {
      if (wasCutOff(run)) return { failures: [] };
      return {
        value: inOrder(run.journal.ends).map(({ how, what }) => {
          if (how === "value") return { status: "fulfilled", value: what };
          return { status: "rejected", reason: how === "failure" ? what : expect.any(TaskCancelledError) };
        }),
      };
    };
    await check(allSettled, expectedOf, () => () => true);
  });
});

function winnerIn({ journal: { ends } }: Run): (resource: unknown) => boolean {
  const winner = ends.find(({ how }) => how === "value")?.what;
  return (resource) => resource === winner;
}
