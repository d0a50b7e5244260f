import { baseScheduler } from "./engine/scheduler.js";
import { Session } from "./engine/session.js";
import type { TrialResult } from "./engine/trial.js";
import { ScheduleFailure } from "./errors/schedule-failure.js";
import { encode } from "./search/schedule-code.js";
import type { SimBody } from "./sim.js";
import type { SimOptions } from "./sim-options.js";

/**
 * Runs `body` once, as `run` does, in virtual time and in the default order: when everything waits, the clock jumps to the next deadline or sleeper. It takes
 * no real time, whatever it sleeps, and two runs are the same, step by step.
 *
 * It is a root of its own, whatever scope `simulate` is called in; `options.signal` cancels it. `sim.root` is the nursery in which it runs, and the ambient scope;
 * `sim` itself goes wherever a scope goes.
 *
 * Source: trio.testing.MockClock with autojump.
 *
 * @throws ScheduleFailure if the body fails, with its error as the `cause`; if nothing can go on any more, if it never ends, or leaves something behind
 * @throws UsageError, RangeError for wrong options
 * @example
 * await simulate(async (sim) => {
 *   await sleep(60_000);
 *   expect(sim.now()).toBe(60_000);
 * });
 */
export async function simulate<T>(body: SimBody<T>, options: SimOptions = {}): Promise<T> {
  const session = await Session.open("simulate()", body, options, false);
  try {
    let result = await session.trial(baseScheduler(session.base));
    const leftover = result.finding === undefined ? await session.leftover() : undefined;
    if (leftover !== undefined) result = { ...result, finding: leftover };
    if (result.finding === undefined) return result.value as T;
    throw failureOf(result, encode({ ...session.departures, picks: result.trace.picks }, result.trace.checksum), []);
  } finally {
    session.close();
  }
}

/** The report on a run in which something was found. */
export function failureOf(result: TrialResult<unknown>, replay: string, story: readonly string[]): ScheduleFailure {
  const { finding, trace, misjudged } = result;
  if (finding === undefined) throw new TypeError("a run without a finding is no failure");
  const { kind, error, graph } = finding;
  const told = misjudged === undefined ? story : [...story, misjudgementOf(misjudged)];
  return new ScheduleFailure({ kind, cause: error, replay, waitGraph: graph, steps: trace.steps, foundAt: trace.foundAt, story: told });
}

function misjudgementOf(wait: string): string {
  return `Others went on while something was awaited that is not of this library (${wait}), because nothing was seen to be in flight: pass it to sim.external().`;
}
