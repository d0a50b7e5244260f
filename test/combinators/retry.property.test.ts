import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, now, retry, sleep } from "../../src/index.js";
import { MODES, type Mode, Passing } from "../support/passing.js";
import { pickOf, type Schedule, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { type End, type Job, Journal, jobs } from "./jobs.js";
import { CANCELLED_ITSELF, type Expected, expectSettled, type Settled, settledOf } from "./settling.js";

interface Trial {
  /** What the attempts do. */
  readonly jobs: readonly Job[];
  readonly attempts: number;
  /** Milliseconds after each of them. */
  readonly delays: readonly number[];
  /** Which failures are worth another attempt. */
  readonly retryable: readonly boolean[];
  readonly mode: Mode;
  readonly schedule: Schedule;
  /** By what, and when, it is cancelled from outside: between the instants at which something else happens. */
  readonly cancelledBy: "nothing" | "deadline" | "cancel";
  readonly cancelledAt: number;
}

const trials: fc.Arbitrary<Trial> = fc.record({
  jobs: fc.array(jobs, { minLength: 5, maxLength: 5 }),
  attempts: fc.integer({ min: 1, max: 5 }),
  delays: fc.array(fc.nat({ max: 6 }), { minLength: 5, maxLength: 5 }),
  retryable: fc.array(
    fc.nat({ max: 5 }).map((n) => n > 0),
    { minLength: 5, maxLength: 5 },
  ),
  mode: fc.constantFrom(...MODES),
  schedule: schedules(),
  cancelledBy: fc.constantFrom("nothing", "deadline", "cancel"),
  cancelledAt: fc.nat({ max: 25 }).map((ms) => ms + 0.5),
});

interface RetryRun {
  readonly settled: Settled;
  readonly settledAt: number;
  readonly journal: Journal;
  readonly begins: readonly number[];
  readonly endTimes: readonly number[];
  readonly asked: readonly unknown[];
}

async function runTrial(trial: Trial): Promise<RetryRun> {
  const { jobs, attempts, delays, retryable, mode, schedule, cancelledBy, cancelledAt } = trial;
  const journal = new Journal();
  const passing = new Passing(mode);
  const begins: number[] = [];
  const endTimes: number[] = [];
  const asked: unknown[] = [];
  let run: RetryRun | undefined;
  await simulate(
    async (root) => {
      const outer = new CancelScope(cancelledBy === "deadline" ? { timeout: cancelledAt } : {});
      if (cancelledBy === "cancel") root.startSoon((task) => sleep(cancelledAt, task).then(() => outer.cancel()));
      await outer.run(async () => {
        const attempt = async (scope: CancelScope, number: number) => {
          expect([number, journal.running]).toEqual([journal.begun + 1, 0]);
          begins.push(now(root));
          try {
            return await journal.work(jobs[number - 1] as Job, number, (at) => passing.at(at))(scope);
          } finally {
            endTimes.push(now(root));
          }
        };
        const options = {
          attempts,
          delay: (number: number) => delays[number - 1] as number,
          retryable: (error: unknown, number: number) => {
            asked.push(error);
            return retryable[number - 1] as boolean;
          },
        };
        const settled = await settledOf(retry(attempt, options, passing.at(outer)));
        expect(journal.running).toBe(0);
        run = { settled, settledAt: now(root), journal, begins, endTimes, asked };
      }, root);
      const state = () => [journal.begun, journal.ends.length, ...journal.resources.map(({ disposals }) => disposals)];
      const before = state();
      await sleep(100, root);
      expect(state()).toEqual(before);
    },
    { ambient: mode === "ambient", pick: pickOf(schedule) },
  );
  return run as RetryRun;
}

interface Story {
  readonly begins: readonly number[];
  /** The failures about which `retryable` is asked. */
  readonly asked: readonly unknown[];
  readonly expected: Expected;
  readonly settledAt: number;
}

/** What is to come of it, from what the attempts did and when they ended. */
function storyOf(
  { attempts, delays, retryable, cancelledBy, cancelledAt }: Trial,
  ends: readonly End[],
  endTimes: readonly number[],
): Story {
  const cutAt = cancelledBy === "nothing" ? Number.POSITIVE_INFINITY : cancelledAt;
  const begins = [0];
  const asked: unknown[] = [];
  for (let number = 1; ; number++) {
    const { how, what } = ends[number - 1] as End;
    const at = endTimes[number - 1] as number;
    const over = (expected: Expected, settledAt = at): Story => ({ begins, asked, expected, settledAt });
    if (how === "value") return over({ value: what });
    if (how === "own cancellation") return over({ failures: [CANCELLED_ITSELF] });
    if (how === "cancellation") return over({ failures: [] });
    const failed = over({ failures: [what] });
    if (at >= cutAt || number === attempts) return failed;
    asked.push(what);
    if (!retryable[number - 1]) return failed;
    const next = at + (delays[number - 1] as number);
    if (next > cutAt) return cancelledBy === "deadline" ? failed : over({ failures: [] }, cutAt);
    begins.push(next);
  }
}

test("retry(): attempts one after another, until a success, the last of them, or a failure not worth another; cancelled whenever, at any order of wake-ups", async () => {
  await fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      const { settled, settledAt, journal, begins, endTimes, asked } = await runTrial(trial);
      const story = storyOf(trial, journal.ends, endTimes);
      expect({ begins, asked, settledAt }).toEqual({ begins: story.begins, asked: story.asked, settledAt: story.settledAt });
      expectSettled({ settled, journal, wasCancelled: false }, story.expected, () => true);
    }),
    { numRuns: 1000 },
  );
});
