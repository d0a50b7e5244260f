import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cancellable, CancelScope, every, now, poll, sleep } from "../../src/index.js";
import { MODES, type Mode, Passing } from "../support/passing.js";
import { pickOf, type Schedule, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { type End, type Job, Journal, jobs } from "./jobs.js";
import { type Expected, expectSettled, type Settled, settledOf } from "./settling.js";

interface Trial {
  /** What the calls do, over and over. */
  readonly jobs: readonly Job[];
  readonly period: number;
  readonly fixed: "rate" | "delay";
  readonly initialDelay: number;
  readonly mode: Mode;
  readonly schedule: Schedule;
  /** When it is cancelled from outside: between the instants at which something else happens. */
  readonly cancelledAt: number;
}

const trials: fc.Arbitrary<Trial> = fc.record({
  jobs: fc.array(
    // Most go well, so that there are many ticks. What a tick returns is nobody's, so there is nothing to dispose.
    fc
      .tuple(jobs, fc.nat({ max: 3 }))
      .map(([job, n]): Job => (n > 0 || job.ends === "resource" ? { ...job, ends: "value", failsTidying: false } : job)),
    { minLength: 1, maxLength: 6 },
  ),
  period: fc.constantFrom(0.25, 1, 3, 5, 7),
  fixed: fc.constantFrom("rate", "delay"),
  initialDelay: fc.nat({ max: 4 }),
  mode: fc.constantFrom(...MODES),
  schedule: schedules(),
  cancelledAt: fc.nat({ max: 40 }).map((ms) => ms + 0.6),
});

interface Call {
  readonly tick: number;
  readonly at: number;
  endsAt: number;
}

interface TickRun {
  readonly settled: Settled;
  readonly settledAt: number;
  readonly journal: Journal;
  readonly calls: readonly Call[];
}

type Ticker = (
  fn: (scope: CancelScope, tick: number) => Promise<unknown>,
  trial: Trial,
  scope: Cancellable | undefined,
) => Promise<unknown>;

async function runTrial(trial: Trial, ticker: Ticker): Promise<TickRun> {
  const { jobs, mode, schedule, cancelledAt } = trial;
  const journal = new Journal();
  const passing = new Passing(mode);
  const calls: Call[] = [];
  let run: TickRun | undefined;
  await simulate(
    async (root) => {
      const outer = new CancelScope();
      root.startSoon((task) => sleep(cancelledAt, task).then(() => outer.cancel()), { background: true });
      await outer.run(async () => {
        const fn = async (scope: CancelScope, tick: number) => {
          expect(journal.running).toBe(0);
          const call = { tick, at: now(root), endsAt: 0 };
          calls.push(call);
          try {
            return await journal.work(jobs[journal.begun % jobs.length] as Job, journal.begun, (at) => passing.at(at))(scope);
          } finally {
            call.endsAt = now(root);
          }
        };
        const settled = await settledOf(ticker(fn, trial, passing.at(outer)));
        run = { settled, settledAt: now(root), journal, calls };
      }, root);
      const { begun, ends } = journal;
      await sleep(100, root);
      expect([journal.begun, journal.ends.length]).toEqual([begun, ends.length]);
    },
    { ambient: mode === "ambient", pick: pickOf(schedule) },
  );
  return run as TickRun;
}

/** Which tick comes after a call, and when. */
function nextOf({ period, fixed, initialDelay }: Trial, { tick, endsAt }: Call): Omit<Call, "endsAt"> {
  if (fixed === "delay") return { tick: tick + 1, at: endsAt + period };
  let next = tick + 1;
  while (initialDelay + (next + 1) * period <= endsAt) next++;
  return { tick: next, at: Math.max(endsAt, initialDelay + next * period) };
}

interface Story {
  readonly expected: Expected;
  readonly settledAt: number;
  readonly calls: readonly Omit<Call, "endsAt">[];
}

/** What is to come of it, from what the calls did and when they ended; `isLast`: whether a call that went well was the last one. */
function storyOf(trial: Trial, { journal, calls }: TickRun, isLast: (end: End) => boolean): Story {
  const { initialDelay, cancelledAt } = trial;
  const made: Omit<Call, "endsAt">[] = [];
  for (let next: Omit<Call, "endsAt"> = { tick: 0, at: initialDelay }; next.at <= cancelledAt; ) {
    const [call, end] = [calls[made.length] as Call, journal.ends[made.length] as End];
    made.push(next);
    const settledAt = call.endsAt;
    if (end.how === "failure") return { expected: { failures: [end.what] }, settledAt, calls: made };
    if (end.how === "value" && isLast(end)) return { expected: { value: end.what }, settledAt, calls: made };
    if (settledAt >= cancelledAt) return { expected: { failures: [] }, settledAt, calls: made };
    next = nextOf(trial, call);
  }
  return { expected: { failures: [] }, settledAt: cancelledAt, calls: made };
}

function check(trial: Trial, run: TickRun, isLast: (end: End) => boolean): void {
  const { settled, settledAt, journal, calls } = run;
  const story = storyOf(trial, run, isLast);
  expect(calls.map(({ tick, at }) => ({ tick, at }))).toEqual(story.calls);
  expect(settledAt).toBe(story.settledAt);
  expectSettled({ settled, journal, wasCancelled: true }, story.expected, () => true);
}

describe("whatever the calls do, whenever it is cancelled, at any order of wake-ups:", () => {
  test("every() calls on time, one at a time, until a failure or the cancellation", async () => {
    const ticker: Ticker = (fn, { period, fixed, initialDelay }, scope) => every(period, fn, { fixed, initialDelay }, scope);
    await fc.assert(
      fc.asyncProperty(trials, async (trial) => check(trial, await runTrial(trial, ticker), () => false)),
      { numRuns: 500 },
    );
  });

  test("poll() does so until a call has found something", async () => {
    await fc.assert(
      fc.asyncProperty(trials, fc.nat({ max: 8 }), async (trial, foundAt) => {
        const ticker: Ticker = (fn, { period, fixed, initialDelay }, scope) => {
          const ask = async (at: CancelScope, tick: number) => {
            const found = (await fn(at, tick)) as number;
            return found >= foundAt ? found : undefined;
          };
          return poll(period, ask, { fixed, initialDelay }, scope);
        };
        check(trial, await runTrial(trial, ticker), ({ what }) => (what as number) >= foundAt);
      }),
      { numRuns: 500 },
    );
  });
});
