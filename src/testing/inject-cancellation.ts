import { UsageError } from "../index.js";
import { Random } from "./engine/random.js";
import { baseScheduler } from "./engine/scheduler.js";
import { Session } from "./engine/session.js";
import { ScheduleFailure } from "./errors/schedule-failure.js";
import { reported } from "./explore.js";
import { detailsOf, type InjectedRun, type Probe, runInjected } from "./injection/injected-run.js";
import type { Injection, InjectMode, InjectTarget } from "./injection/injection.js";
import { type InjectOptions, validateInjection } from "./injection/injection-options.js";
import { type Checkpoint, Injector } from "./injection/injector.js";
import { injectionFailure } from "./report/injection-report.js";
import { PosScheduler } from "./search/pos-scheduler.js";
import type { SimBody } from "./sim.js";

/** What `injectCancellation` has done that has found nothing wrong. */
export interface InjectReport {
  /** At how many checkpoints of the default order something was injected. */
  readonly points: number;
  /** How many disturbed runs there were, in all schedules. */
  readonly runs: number;
}

/** The parameters of a whole search, with their defaults. */
interface Search {
  readonly modes: readonly InjectMode[];
  readonly targets: readonly InjectTarget[];
  readonly isBySite: boolean;
}

const CALLER = "injectCancellation()";

/**
 * Runs `body` again and again in virtual time, each time with one cancellation more: at each of its checkpoints, before the operation takes effect and while it
 * waits, of the task there and of everything, in the default order and in some random ones. Each run must end, leave nothing behind, fail with nothing but the
 * cancellation, and pass `check`; and no task may go on and on when it is cancelled.
 *
 * It begins anew where `explore` does: once, if something foreign was not seen in flight.
 *
 * The number of runs grows with that of checkpoints, and so does the length of each: from some hundred checkpoints on, use `points: "sites"`.
 *
 * Source: trio#77 asks for it; the loops over failures of SQLite's tests.
 *
 * @throws ScheduleFailure that lists all that is wrong by place, with a full report on the first; each has a code for `replay`
 * @throws UsageError, RangeError for wrong options, or if there is no checkpoint at which anything could be injected
 * @example
 * let pool: Pool; // made anew by each run
 * await injectCancellation(
 *   async (sim) => {
 *     pool = new Pool(2);
 *     for (let i = 0; i < 3; i++) sim.root.startSoon(() => pool.use((connection) => connection.query("select 1")));
 *   },
 *   { check: () => expect(pool.free).toBe(2) },
 * );
 */
export async function injectCancellation(body: SimBody, options: InjectOptions = {}): Promise<InjectReport> {
  validateInjection(options, CALLER);
  return Session.repeatable<unknown, InjectReport>(CALLER, body, options, true, (session) => injected(session, options));
}

async function injected(session: Session<unknown>, options: InjectOptions): Promise<InjectReport> {
  const { modes = ["enter", "blocked"], targets = ["task", "root"], seeds = 4, points = "every" } = options;
  const search: Search = { modes: [...new Set(modes)], targets, isBySite: points === "sites" };
  const failed: InjectedRun[] = [];
  const reached = new Set<string>();
  const seen = new Set<number>();
  let runs = 0;
  let atDefault = 0;
  let last: InjectedRun | undefined;
  for (let seed = 0; seed <= seeds; seed++) {
    const probe = await probed(session, seed);
    if (seen.has(probe.trace.checksum)) continue;
    seen.add(probe.trace.checksum);
    const chosen = search.isBySite ? oncePerSite(probe.checkpoints, seed) : probe.checkpoints;
    const places = chosen.map((checkpoint) => injectionsAt(checkpoint, search)).filter((injections) => injections.length > 0);
    if (seed === 0) atDefault = places.length;
    for (const injection of places.flat()) {
      const run = await runInjected(session, probe, injection, options);
      if (run.injector.isMissed && run.result.finding === undefined) continue;
      runs++;
      last = run;
      if (typeof injection.target === "object") reached.add(injection.target.scope);
      if (run.result.finding === undefined) continue;
      failed.push(run);
      if (run.result.finding.kind === "nondeterminism") throw await injectionFailure(failed, runs, session, options);
    }
  }
  requireReached(targets, reached, search, runs);
  if (failed.length > 0) throw await injectionFailure(failed, runs, session, options);
  const leftover = await session.leftover();
  if (leftover !== undefined && last !== undefined) {
    const run = { ...last, result: { ...last.result, finding: leftover } };
    throw new ScheduleFailure({ ...detailsOf(run), story: [`After ${runs} runs; this is the last of them.`] });
  }
  return { points: atDefault, runs };
}

/** A run in which nothing is injected. Seed 0 is the default order. @throws ScheduleFailure if it fails */
async function probed(session: Session<unknown>, seed: number): Promise<Probe> {
  const scheduler = seed === 0 ? baseScheduler("fifo") : new PosScheduler(new Random(session.seed + seed));
  const counter = new Injector();
  const result = await session.trial(scheduler, { observer: counter });
  const departures = { ...session.departures, base: scheduler.base, picks: result.trace.picks };
  if (result.finding !== undefined) throw await reported({ departures, result }, "It fails without an injection", session, true);
  return { departures, checkpoints: counter.checkpoints, trace: result.trace };
}

/** One checkpoint of each site: the first one in the default order, any other one elsewhere. */
function oncePerSite(checkpoints: readonly Checkpoint[], seed: number): Checkpoint[] {
  const sites = new Map<string, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    const site = `${checkpoint.kind} ${checkpoint.op} ${checkpoint.object}`;
    const known = sites.get(site);
    if (known === undefined) sites.set(site, [checkpoint]);
    else known.push(checkpoint);
  }
  const random = new Random(seed);
  return [...sites.values()].map((known) => known[seed === 0 ? 0 : random.below(known.length)] as Checkpoint);
}

function injectionsAt({ k, isOperation, isWait, isMain }: Checkpoint, { modes, targets }: Search): Injection[] {
  // The main task is everything.
  const distinct = targets.filter((target) => !(isMain && target === "task" && targets.includes("root")));
  return modes.flatMap((mode): Injection[] => {
    // A look at the cancellation that waits for nothing belongs to no operation that could fail.
    if (mode === "fault") return isOperation && isWait ? [{ k, mode, target: undefined }] : [];
    return (mode === "enter" ? isOperation : isWait) ? distinct.map((target) => ({ k, mode, target })) : [];
  });
}

/** A search that has looked at nothing must not pass. */
function requireReached(targets: readonly InjectTarget[], reached: ReadonlySet<string>, { modes }: Search, runs: number): void {
  for (const target of targets) {
    if (typeof target === "object" && modes.some((mode) => mode !== "fault") && !reached.has(target.scope))
      throw new UsageError(`no scope named "${target.scope}" is open at any checkpoint of the body that ${CALLER} runs`);
  }
  if (runs === 0) throw new UsageError(`the body that ${CALLER} runs has no checkpoint at which anything could be injected`);
}
