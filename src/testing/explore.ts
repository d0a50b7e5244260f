import { requireDuration } from "../kernel/validate.js";
import { DepartureScheduler, type Departures } from "./engine/departures.js";
import type { ExternalAwait } from "./engine/external-await.js";
import type { Finding } from "./engine/finding.js";
import { Session } from "./engine/session.js";
import type { TrialResult } from "./engine/trial.js";
import { NondeterminismError } from "./errors/nondeterminism-error.js";
import { messageOf, type ScheduleFailure } from "./errors/schedule-failure.js";
import { encode } from "./search/schedule-code.js";
import { type Attempt, type Reduction, shrink } from "./search/shrink.js";
import { type Strategy, searchOf } from "./search/strategy.js";
import type { SimBody } from "./sim.js";
import type { SimOptions } from "./sim-options.js";
import { failureOf } from "./simulate.js";

export interface ExploreOptions extends Omit<SimOptions, "base"> {
  /** Which schedules are tried. Default: the portfolio. */
  readonly strategy?: Strategy | undefined;
  /** How many are tried at most. Default 1000. */
  readonly schedules?: number | undefined;
  /** Real milliseconds after which no further one is begun. Default 2000. */
  readonly timeMs?: number | undefined;
  /** Runs the first schedule twice, so that what is not under control is found out and told. Default `true`. */
  readonly checkDeterminism?: boolean | undefined;
  /** Reduces the schedule that fails. Default `true`. */
  readonly shrink?: boolean | undefined;
}

/** How many steps of runs a reduction may take: seconds at most, and the same on every machine. */
const REDUCTION_STEPS = 1e6;

/** What an exploration has done that has found nothing wrong. */
export interface ExploreReport {
  readonly schedules: number;
  /** Whether everything that the strategy promises was tried. */
  readonly complete: boolean;
  /** How many of the runs differed from all others. */
  readonly distinctTraces: number;
  /** Of the longest run. */
  readonly maxSteps: number;
  /** Real time. */
  readonly ms: number;
  /** What tasks awaited that is not of this library, each once. */
  readonly externals: readonly ExternalAwait[];
}

/**
 * Runs `body` in virtual time under one schedule after another, until one fails or the budget is used up. Every way in which its tasks may take turns at
 * their checkpoints is a schedule, and so is time that passes while tasks could go on.
 *
 * Each run is a root of its own, whatever scope `explore` is called in; `options.signal` cancels it. A run in which something is found wrong is cancelled, so that it
 * can clean up. The schedules come in the order that the strategy says, the same in each call. Where a run has taken something foreign for a promise of
 * another task, because it was not seen in flight, all of them begin anew, once, and so does `timeMs`: then `settleMs` is granted to whatever is awaited.
 *
 * @throws ScheduleFailure at the first failure, reduced: with the smallest schedule that fails so, as text for `replay`
 * @throws UsageError, RangeError for wrong options
 * @example
 * await explore(async (sim) => {
 *   const cache = new Cache();
 *   sim.root.startSoon(() => cache.read("a"));
 *   sim.root.startSoon(() => cache.write("a", 1));
 * });
 */
export async function explore(body: SimBody, options: ExploreOptions = {}): Promise<ExploreReport> {
  const { schedules, timeMs } = options;
  if (schedules !== undefined) requireBudget(schedules, "schedules");
  if (timeMs !== undefined) requireDuration(timeMs, "`timeMs` of explore()");
  return Session.repeatable("explore()", body, options, true, (session) => explored(session, options));
}

async function explored(session: Session<unknown>, options: ExploreOptions): Promise<ExploreReport> {
  const { strategy = { kind: "portfolio" }, schedules = 1000, timeMs = 2000, checkDeterminism = true, shrink: shrinks = true } = options;
  const began = performance.now();
  const search = searchOf(strategy);
  const seen = new Set<number>();
  const externals = new Map<string, ExternalAwait>();
  let tried = 0;
  let maxSteps = 0;
  let isComplete = false;
  let last: Attempt | undefined;
  while (tried < schedules && (tried === 0 || performance.now() - began < timeMs)) {
    const scheduler = search.next();
    if (scheduler === undefined) {
      isComplete = true;
      break;
    }
    const result = await session.trial(scheduler);
    tried++;
    search.ended(result.trace);
    seen.add(result.trace.checksum);
    maxSteps = Math.max(maxSteps, result.trace.length);
    for (const external of result.externals) externals.set(`${external.task} ${external.after}`, external);
    const departures: Departures = { ...session.departures, base: scheduler.base, picks: result.trace.picks };
    const attempt: Attempt = { departures, result };
    if (result.finding !== undefined) throw await reported(attempt, `Found by schedule ${tried}`, session, shrinks);
    if (tried === 1 && checkDeterminism) await requireSame(attempt, session);
    last = attempt;
  }
  const leftover = await session.leftover();
  if (leftover !== undefined && last !== undefined) {
    const code = encode(last.departures, last.result.trace.checksum);
    throw failureOf({ ...last.result, finding: leftover }, code, [`After ${tried} schedules; this is the last of them.`]);
  }
  return {
    schedules: tried,
    complete: isComplete,
    distinctTraces: seen.size,
    maxSteps,
    ms: performance.now() - began,
    externals: [...externals.values()],
  };
}

/** The failure, reduced, from a last run that records where tasks wait. */
export async function reported(found: Attempt, how: string, session: Session<unknown>, isShrinking: boolean): Promise<ScheduleFailure> {
  const finding = found.result.finding as Finding;
  let steps = 0;
  const reduction: Reduction = {
    run: async (departures) => {
      const result = await session.trial(new DepartureScheduler(departures), { seed: departures.seed });
      steps += result.trace.length;
      return result;
    },
    isSpent: () => steps > REDUCTION_STEPS,
    isSame: ({ finding: other }) => other !== undefined && isAlike(finding, other),
  };
  const smallest = isShrinking ? await shrink(found, reduction) : found;
  const { departures } = smallest;
  const last = await session.trial(new DepartureScheduler(departures), { seed: departures.seed, sites: true });
  const isStable = last.trace.checksum === smallest.result.trace.checksum && last.finding !== undefined;
  const [before, after] = [found.departures.picks.length, departures.picks.length];
  const story = [
    before === after ? `${how}.` : `${how}, and reduced from ${departuresOf(before)} to ${after}.`,
    await storyOfDefault(departures, finding, session),
  ];
  if (departures.base === "run") story.push(`Here each task goes on until it waits${after === 0 ? "" : ", but where a * stands"}.`);
  if (!isStable) story.push("Run once more it took another path: something in it is not under control.");
  return failureOf(isStable ? last : smallest.result, encode(departures, smallest.result.trace.checksum), story);
}

/** What becomes of the order of production. */
async function storyOfDefault(departures: Departures, finding: Finding, session: Session<unknown>): Promise<string> {
  if (departures.base === "fifo" && departures.picks.length === 0) return "It fails in the default order.";
  const plain = { ...departures, base: "fifo" as const, picks: [] };
  const { finding: other } = await session.trial(new DepartureScheduler(plain), { seed: departures.seed });
  if (other === undefined) return "The default order passes.";
  return isAlike(finding, other) ? "The default order fails, too." : `The default order fails in another way: ${other.kind}.`;
}

function requireBudget(n: number, name: string): void {
  if (!(n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n > 0)))
    throw new RangeError(`\`${name}\` of explore() is an integer from 1, or Infinity, not ${n}`);
}

function departuresOf(n: number): string {
  return n === 1 ? "1 departure" : `${n} departures`;
}

/** Whether two findings are one: of the same kind, by an error of the same class. */
function isAlike(one: Finding, other: Finding): boolean {
  return one.kind === other.kind && nameOf(one.error) === nameOf(other.error);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** @throws ScheduleFailure if a second run of the same schedule takes another path */
async function requireSame({ departures, result }: Attempt, session: Session<unknown>): Promise<void> {
  const again: TrialResult<unknown> = await session.trial(new DepartureScheduler(departures), { seed: departures.seed });
  const failure = again.finding && `it passed, and then failed: ${messageOf(again.finding.error)}`;
  if (failure === undefined && again.trace.checksum === result.trace.checksum && again.trace.length === result.trace.length) return;
  const error = new NondeterminismError(result.trace, again.trace, failure);
  const finding: Finding = { kind: "nondeterminism", error, graph: undefined };
  throw failureOf({ ...again, finding }, encode(departures, again.trace.checksum), ["The first schedule was run twice."]);
}
