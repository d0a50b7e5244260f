import type { Departures } from "../engine/departures.js";
import type { TrialResult } from "../engine/trial.js";
import { BoundedSearch } from "./bounded-search.js";

/** A schedule, and what it came to. */
export interface Attempt {
  readonly departures: Departures;
  readonly result: TrialResult<unknown>;
}

/** How a schedule that fails is reduced. */
export interface Reduction {
  /** Runs a schedule. */
  run(departures: Departures): Promise<TrialResult<unknown>>;
  /** Whether there is no more to be tried: where runs are long, reducing them takes too long. */
  isSpent(): boolean;
  /** Whether that is the failure which is to be reduced. */
  isSame(result: TrialResult<unknown>): boolean;
}

/** How many schedules are tried with one preemption, and with two, at most. */
const SINGLES = 400;
const PAIRS = 2000;

/**
 * Reduces a schedule that fails: to first in, first out; else to each task until it waits; else to that with one preemption, the earliest there is; else by
 * leaving departures out. In this order, because leaving out gets stuck where another start would not. What then still has more than two is held
 * against all pairs.
 */
export async function shrink(found: Attempt, reduction: Reduction): Promise<Attempt> {
  const fifo: Departures = { ...found.departures, base: "fifo", picks: [] };
  const result = await reduction.run(fifo);
  if (reduction.isSame(result)) return { departures: fifo, result };
  const simple = await fewest(fifo, 1, SINGLES, reduction);
  if (simple !== undefined) return simple;
  const less = await withLess(found, reduction);
  if (less.departures.picks.length <= 2) return less;
  return (await fewest(fifo, 2, PAIRS, reduction)) ?? less;
}

/** The first failure of a systematic search, in which fewer departures come first. */
async function fewest(start: Departures, bound: number, most: number, reduction: Reduction): Promise<Attempt | undefined> {
  const search = new BoundedSearch("run", bound);
  for (let i = 0; i < most && !reduction.isSpent(); i++) {
    const picks = search.nextPicks();
    if (picks === undefined) return undefined;
    const departures: Departures = { ...start, base: "run", picks };
    const result = await reduction.run(departures);
    if (reduction.isSame(result)) return { departures, result };
    search.ended(result.trace);
  }
  return undefined;
}

/** Leaves departures out, the last ones first, as long as it fails without them; then takes simpler ways, where that does. */
async function withLess(found: Attempt, reduction: Reduction): Promise<Attempt> {
  let smallest = found;
  const attempt = async (picks: Departures["picks"]): Promise<boolean> => {
    const departures: Departures = { ...found.departures, picks };
    const result = await reduction.run(departures);
    const isSame = reduction.isSame(result);
    if (isSame) smallest = { departures, result };
    return isSame;
  };
  for (let hasChanged = true; hasChanged && !reduction.isSpent(); ) {
    hasChanged = false;
    for (let size = smallest.departures.picks.length >> 1; size >= 1; size >>= 1) {
      for (let end = smallest.departures.picks.length; end > 0; end -= size) {
        const { picks } = smallest.departures;
        const start = Math.max(0, end - size);
        if (start < picks.length && (await attempt([...picks.slice(0, start), ...picks.slice(end)]))) hasChanged = true;
      }
    }
  }
  for (let i = 0; i < smallest.departures.picks.length; i++) {
    const { picks } = smallest.departures;
    const [point, pick] = picks[i] as readonly [number, number];
    if (pick > 1) await attempt([...picks.slice(0, i), [point, 1], ...picks.slice(i + 1)]);
  }
  return smallest;
}
