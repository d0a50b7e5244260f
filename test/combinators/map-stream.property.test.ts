import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, type ItemFunction, leaves, mapStream, sleep, TaskCancelledError } from "../../src/index.js";
import { MODES, type Mode, Passing } from "../support/passing.js";
import { pickOf, type Schedule, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { type Job, Journal, jobs } from "./jobs.js";
import { type Settled, settledOf } from "./settling.js";
import { Source, type SourcePlan, sourcePlans } from "./sources.js";

interface Trial {
  readonly jobs: readonly Job[];
  readonly source: SourcePlan;
  readonly concurrency: number;
  /** How much larger than that the window is. */
  readonly more: number;
  readonly order: "input" | "completed";
  readonly mode: Mode;
  readonly schedule: Schedule;
  readonly cancelledAt: number | undefined;
  /** Milliseconds that the consumer takes for each result. */
  readonly pace: number;
  /** After how many results it leaves the loop, and how. */
  readonly leavesAfter: number;
  readonly leavesBy: "break" | "throw";
}

const trials: fc.Arbitrary<Trial> = fc
  .record({
    jobs: fc.array(jobs, { minLength: 7, maxLength: 7 }),
    source: sourcePlans,
    concurrency: fc.integer({ min: 1, max: 3 }),
    more: fc.nat({ max: 2 }),
    order: fc.constantFrom("input", "completed"),
    mode: fc.constantFrom(...MODES),
    schedule: schedules(),
    cancelledAt: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    pace: fc.nat({ max: 3 }),
    leavesAfter: fc.nat({ max: 8 }),
    leavesBy: fc.constantFrom("break", "throw"),
  })
  // One that never ends has to be cancelled.
  .map((trial) => (trial.source.kind === "emitter" ? { ...trial, cancelledAt: trial.cancelledAt ?? 9 } : trial));

const LEFT = new Error("the consumer's own");

interface StreamRun {
  readonly settled: Settled;
  readonly received: readonly unknown[];
  readonly isLoopOver: boolean;
  readonly journal: Journal;
  readonly source: Source;
  /** Whether the scope around it was cancelled in the end. A `TaskCancelledError` in that counts as its cancellation, because that is its cause. */
  readonly isCancelled: boolean;
}

async function runTrial(trial: Trial): Promise<StreamRun> {
  const { jobs, source: plan, concurrency, more, order, mode, schedule, cancelledAt, pace, leavesAfter, leavesBy } = trial;
  const journal = new Journal();
  const source = new Source(plan);
  const passing = new Passing(mode);
  const received: unknown[] = [];
  let run: StreamRun | undefined;
  await simulate(
    async (root) => {
      const outer = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
      let isLoopOver = false;
      const body = async () => {
        const functions = jobs.map((job, of) => journal.work(job, of, (scope) => passing.at(scope)));
        const items = source.make(passing.at(outer), (scope) => passing.at(scope));
        const fn: ItemFunction<number, unknown> = (item, scope, index) => {
          expect([item, index]).toEqual([journal.begun, journal.begun]);
          expect(journal.running).toBeLessThan(concurrency);
          // One more may have been handed out, and not have arrived.
          expect(journal.begun - received.length).toBeLessThanOrEqual(concurrency + more);
          return functions[item]?.(scope);
        };
        const window = more === 0 ? undefined : concurrency + more;
        const stream = mapStream(items, fn, { concurrency, order, window }, passing.at(outer));
        expect([source.asked, journal.begun]).toEqual([0, 0]);
        let isLeft = leavesAfter === 0;
        for await (const result of stream) {
          received.push(result);
          if (pace > 0) await sleep(pace, passing.at(outer));
          isLeft = received.length === leavesAfter;
          if (isLeft && leavesBy === "throw") throw LEFT;
          if (isLeft) break;
        }
        isLoopOver = true;
      };
      const settled = await settledOf(outer.run(body, root));
      expect(journal.running).toBe(0);
      run = { settled, received, isLoopOver, journal, source, isCancelled: outer.cancelCalled };
      const state = () => [
        journal.begun,
        journal.ends.length,
        source.asked,
        source.closings,
        ...journal.resources.map((each) => each.disposals),
      ];
      const before = state();
      await sleep(100, root);
      expect(state()).toEqual(before);
      expect([source.closed, journal.begun]).toEqual([source.closings, journal.ends.length]);
    },
    { ambient: mode === "ambient", pick: pickOf(schedule) },
  );
  return run as StreamRun;
}

/** All that went wrong anywhere: it comes out of the loop, or of the scope that the stream belongs to. */
function failuresOf({ journal, source, received, isCancelled }: StreamRun): unknown[] {
  const failures = new Set<unknown>();
  for (const { how, what } of journal.ends) {
    if (how === "failure") failures.add(what);
    if (how === "own cancellation" && !isCancelled) failures.add(TaskCancelledError);
  }
  if (source.hasThrown) failures.add(source.failure);
  if (source.closed > 0 && source.plan.failsClosing) failures.add(source.closingFailure);
  for (const resource of journal.resources) if (resource.error !== undefined && !received.includes(resource)) failures.add(resource.error);
  return [...failures];
}

test("mapStream() hands out results in their order, as many at a time as it may, loses nothing, and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const run = await runTrial(trial);
      const { settled, received, journal, source } = run;
      const failures = failuresOf(run);
      const hasThrown =
        trial.leavesBy === "throw" &&
        received.length === trial.leavesAfter &&
        received.length > 0 &&
        !settled.ok &&
        leaves(settled.error).includes(LEFT);
      const thrown = settled.ok
        ? []
        : leaves(settled.error).map((error) => (error instanceof TaskCancelledError ? TaskCancelledError : error));
      expect(new Set(thrown)).toEqual(new Set(hasThrown ? [LEFT, ...failures] : failures));
      expect(thrown.length).toBe(failures.length + (hasThrown ? 1 : 0));

      const values = journal.ends.filter(({ how }) => how === "value");
      if (trial.order === "input") values.sort((a, b) => a.of - b.of);
      const inOrder = values.map(({ what }) => what);
      expect(received).toEqual(inOrder.slice(0, received.length));
      expect(received).toEqual([...new Set(received)]);
      // What was handed out is the receiver's; everything else is disposed, once.
      for (const resource of journal.resources)
        expect([resource.of, resource.disposals]).toEqual([resource.of, received.includes(resource) ? 0 : 1]);

      const isAllRead = source.plan.kind === "array" ? journal.begun === source.plan.length : source.isExhausted;
      if (run.isLoopOver && failures.length === 0 && received.length !== trial.leavesAfter) {
        expect(isAllRead).toBe(true);
        expect(received).toEqual(inOrder);
        expect(received.length).toBe(source.plan.length);
      }
      if (!run.isLoopOver && failures.length === 0 && !hasThrown) expect(run.isCancelled).toBe(true);
      if (source.plan.kind !== "array" && source.asked > 0 && !source.isExhausted && !source.hasThrown) expect(source.closings).toBe(1);
    }),
    { numRuns: 1500 },
  );
});
