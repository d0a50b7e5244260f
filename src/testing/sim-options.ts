import type { RunOptions } from "../kernel/run.js";
import type { DrainMode } from "./engine/drain.js";
import type { BaseOrder } from "./engine/scheduler.js";

/** What is looked for when a run has ended. */
export type Leaks = Partial<Record<"tasks" | "timers" | "listeners" | "locks" | "handles" | "rejections", boolean>>;

/** How simulated runs are made. */
export interface SimOptions extends Pick<RunOptions, "ambient" | "debug" | "errors" | "signal"> {
  /** The virtual time at the beginning, in ms. Default 0. */
  readonly startTime?: number | undefined;
  /** Whether time may pass while tasks could go on, as on a slow machine: a timeout may then win against an answer that is there. Default: `false` for `simulate`, `true` elsewhere. */
  readonly timeRaces?: boolean | undefined;
  /** The default order. Default `"fifo"`, as in production. */
  readonly base?: BaseOrder | undefined;
  /** After so many steps a run is a livelock; the second half of them is in an order in which nothing is starved. Default 10,000. */
  readonly maxSteps?: number | undefined;
  /**
   * What becomes of an `await` of something that is not of this library (`fetch`, a file, a promise of somebody else). `"settle"`: it is waited for in real
   * time, as part of the step; if nothing is seen in flight, the others go on, as they must where one of them is to settle it. `"fail"`: it is an error. Default
   * `"settle"`.
   */
  readonly external?: "settle" | "fail" | undefined;
  /** Real milliseconds that such an `await` may take; where nothing is seen in flight, the others go on after 3, unless that has been wrong before. Default 250. */
  readonly settleMs?: number | undefined;
  /** How a step comes to rest. `"sync"` is faster, and uses what Node has for it but discourages; where it does not work, it is as `"auto"`. Default `"auto"`. */
  readonly drain?: DrainMode | undefined;
  /** Seed of `sim.random()`. Default 0. */
  readonly seed?: number | undefined;
  /** Records where tasks begin to wait; some microseconds each. Default: only when a failure is run again for its report. */
  readonly sites?: boolean | undefined;
  /** What may be left at the end of a run: `{ locks: false }` does not look at locks. Default: everything is looked for. */
  readonly leaks?: Leaks | undefined;
}
