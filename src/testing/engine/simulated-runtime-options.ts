import type { Observer } from "./observer.js";
import type { Scheduler } from "./scheduler.js";

/** How one simulated run is made. */
export interface SimulatedRuntimeOptions {
  readonly scheduler: Scheduler;
  readonly startTime: number;
  /** Whether time may pass while something is ready. */
  readonly timeRaces: boolean;
  /** Of `random()`. */
  readonly seed: number;
  /** Whether the places are recorded where tasks begin to wait. */
  readonly sites: boolean;
  /** After so many steps the order is first in, first out, whatever the scheduler says: nothing is starved any more. */
  readonly fairAfter: number;
  readonly observer?: Observer | undefined;
}
