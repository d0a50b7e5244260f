import type { Scheduler } from "../engine/scheduler.js";
import type { Search } from "./search.js";

/** One schedule. */
export class Once implements Search {
  #scheduler: Scheduler | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  next(): Scheduler | undefined {
    const scheduler = this.#scheduler;
    this.#scheduler = undefined;
    return scheduler;
  }

  ended(): void {}
}
