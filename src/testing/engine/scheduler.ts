import type { Footprints } from "./footprints.js";
import type { Ready } from "./ready.js";

/**
 * In which order wake-ups go on when nothing interferes. `fifo`: the oldest first, as in production. `run`: the task that ran last goes on until it
 * waits, then the oldest.
 */
export type BaseOrder = "fifo" | "run";

/** The ways in which a run may go on, in the base order: number 0 is what would happen by itself. Valid during the call that it is passed to. */
export interface Ways {
  /** 2 or more. */
  readonly count: number;
  /** The wake-up of one of them; `undefined` for the last one of a run with time races, by which time passes. */
  at(way: number): Ready | undefined;
}

/** Decides how one run goes on wherever it may go on in several ways. Deterministic, or seeded. */
export interface Scheduler {
  readonly base: BaseOrder;
  /** Which of the ways is taken. */
  choose(ways: Ways): number;
  /** A choice of the program itself, from 0 to `n - 1`: `sim.choose` and `sim.fault`. */
  pick(n: number, what: "choice" | "fault"): number;
  /** Is told what each step touches, where the schedule depends on it. */
  readonly footprints?: Footprints;
  /** A step was taken without a choice. For those that count or weigh events. */
  passed?(ready: Ready): void;
}

/** The base order, and nothing else. */
export function baseScheduler(base: BaseOrder): Scheduler {
  return { base, choose: () => 0, pick: () => 0 };
}
