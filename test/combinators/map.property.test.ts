import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  forEach,
  type ItemFunction,
  type ItemSource,
  type MapOptions,
  map,
  sleep,
} from "../../src/index.js";
import { MODES, type Mode, Passing } from "../support/passing.js";
import { pickOf, type Schedule, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { type End, type Job, Journal, jobs } from "./jobs.js";
import { CANCELLED_ITSELF, expectSettled, type Failures, type Run, settledOf } from "./settling.js";
import { Source, type SourcePlan, sourcePlans } from "./sources.js";

interface Trial {
  readonly jobs: readonly Job[];
  readonly source: SourcePlan;
  readonly concurrency: number;
  readonly mode: Mode;
  readonly schedule: Schedule;
  readonly cancelledAt: number | undefined;
}

const trials: fc.Arbitrary<Trial> = fc
  .record({
    jobs: fc.array(jobs, { minLength: 7, maxLength: 7 }),
    source: sourcePlans,
    concurrency: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    mode: fc.constantFrom(...MODES),
    schedule: schedules(),
    cancelledAt: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  })
  // One that never ends has to be cancelled.
  .map((trial) => (trial.source.kind === "emitter" ? { ...trial, cancelledAt: trial.cancelledAt ?? 9 } : trial));

type Combinator = (
  items: ItemSource<number>,
  fn: ItemFunction<number, unknown>,
  options: MapOptions,
  scope: Cancellable | undefined,
) => Promise<unknown>;

interface MapRun extends Run {
  readonly source: Source;
}

/** Runs a random program, and checks what holds whatever comes of it. */
async function runTrial({ jobs, source: plan, concurrency, mode, schedule, cancelledAt }: Trial, combine: Combinator): Promise<MapRun> {
  const journal = new Journal();
  const source = new Source(plan);
  const passing = new Passing(mode);
  let run: MapRun | undefined;
  await simulate(
    async (root) => {
      const outer = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
      await outer.run(async () => {
        const functions = jobs.map((job, of) => journal.work(job, of, (scope) => passing.at(scope)));
        const items = source.make(passing.at(outer), (scope) => passing.at(scope));
        const fn: ItemFunction<number, unknown> = (item, scope, index) => {
          expect([item, index]).toEqual([journal.begun, journal.begun]);
          expect(journal.running).toBeLessThan(concurrency);
          // Nothing is read ahead: every item that was read is being worked on, or over.
          if (plan.kind !== "array") expect(source.given).toBe(journal.begun + 1);
          return functions[item]?.(scope);
        };
        const settled = await settledOf(combine(items, fn, { concurrency }, passing.at(outer)));
        expect(journal.running).toBe(0);
        run = { settled, journal, source, wasCancelled: outer.effectiveDeadline === Number.NEGATIVE_INFINITY };
      }, root);
      const { begun, ends, resources } = journal;
      const state = () => [
        journal.begun,
        ends.length,
        source.asked,
        source.closings,
        source.closed,
        ...resources.map((each) => each.disposals),
      ];
      const before = state();
      await sleep(100, root);
      expect(state()).toEqual(before);
      expect(begun).toBe(ends.length);
    },
    { ambient: mode === "ambient", pick: pickOf(schedule) },
  );
  return run as MapRun;
}

/** It is closed, and that is over, unless nothing was ever read of it, it had come to its end, or had thrown. */
function expectClosed({ source: { plan, isExhausted, hasThrown, asked, closings, closed }, settled }: MapRun): void {
  expect(closed).toBe(closings);
  if (plan.kind === "array") return;
  const isGenerator = plan.kind !== "iterator" && plan.kind !== "emitter";
  if (!isExhausted && !hasThrown) {
    // Something else than a generator is closed also if it was cancelled before it was asked for anything.
    if (asked > 0) expect(closings).toBe(1);
    else expect(closings).toBeLessThanOrEqual(1);
  } else if (isGenerator || settled.ok) expect(closings).toBe(0);
  // It was closed when the end was already under way.
  else expect(closings).toBeLessThanOrEqual(1);
}

/** What the functions threw, in order, and, anywhere among it, what the source did. */
function failuresOf({ source, journal }: MapRun, failureOf: (end: End) => unknown[]): Required<Pick<Failures, "failures" | "anywhere">> {
  const anywhere: unknown[] = [];
  if (source.hasThrown) anywhere.push(source.failure);
  if (source.closed > 0 && source.plan.failsClosing) anywhere.push(source.closingFailure);
  return { failures: journal.ends.flatMap(failureOf), anywhere };
}

function isWhole({ journal, source }: MapRun): boolean {
  const isAllRead = source.plan.kind === "array" ? journal.begun === source.plan.length : source.isExhausted && source.closings === 0;
  return isAllRead && journal.ends.every(({ how }) => how !== "cancellation");
}

async function check(combine: Combinator, verdict: (run: MapRun) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const run = await runTrial(trial, combine);
      expectClosed(run);
      verdict(run);
    }),
    { numRuns: 1000 },
  );
}

describe("whatever the source and the functions do, whenever they are cancelled, at any order of wake-ups:", () => {
  test("map() works on at most so many items at a time, in order, and returns all results or throws all failures", async () => {
    await check(map, (run) => {
      const thrown = failuresOf(run, ({ how, what }) =>
        how === "failure" ? [what] : how === "own cancellation" ? [CANCELLED_ITSELF] : [],
      );
      const hasFailed = thrown.failures.length + thrown.anywhere.length > 0;
      const value = [...run.journal.ends].sort((a, b) => a.of - b.of).map(({ what }) => what);
      expectSettled(run, hasFailed || !isWhole(run) ? thrown : { value }, () => true);
    });
  });

  test("forEach() does so too, keeps nothing, and skips what cancels itself", async () => {
    await check(forEach, (run) => {
      const thrown = failuresOf(run, ({ how, what }) => (how === "failure" ? [what] : []));
      const hasFailed = thrown.failures.length + thrown.anywhere.length > 0;
      expect(run.journal.resources.filter(({ disposals }) => disposals > 0)).toEqual([]);
      run.journal.resources.length = 0;
      expectSettled(run, hasFailed || !isWhole(run) ? thrown : { value: undefined }, () => true);
    });
  });
});
