import type { Scheduler } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";

/** Which schedules an exploration tries, one after another. */
export interface Search {
  /** The next one, or `undefined` when there is none left: then everything that the search promises has been tried. */
  next(): Scheduler | undefined;
  /** What the last one came to. */
  ended(trace: Trace): void;
}
