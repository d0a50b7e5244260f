import { DepartureScheduler } from "../engine/departures.js";
import type { BaseOrder, Scheduler } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import type { Search } from "./search.js";

type Picks = readonly (readonly [point: number, pick: number])[];

/** Every schedule with at most so many departures from the base order, those with fewer first, and of those the earlier first. */
export class BoundedSearch implements Search {
  readonly #base: BaseOrder;
  readonly #bound: number;
  /** To be tried, from `#at` on; in order of the number of departures. */
  readonly #queue: Picks[] = [[]];
  #at = 0;

  constructor(base: BaseOrder, bound: number) {
    this.#base = base;
    this.#bound = bound;
  }

  next(): Scheduler | undefined {
    const picks = this.nextPicks();
    return picks && new DepartureScheduler({ base: this.#base, picks });
  }

  /** As `next`, as data. */
  nextPicks(): Picks | undefined {
    const picks = this.#queue[this.#at];
    if (picks !== undefined) this.#at++;
    return picks;
  }

  ended({ points }: Trace): void {
    const picks = this.#queue[this.#at - 1] as Picks;
    this.#queue[this.#at - 1] = [];
    if (picks.length === this.#bound) return;
    const last = picks.at(-1)?.[0] ?? -1;
    for (let point = last + 1; point < points.length; point++) {
      for (let pick = 1; pick < (points[point] as number); pick++) this.#queue.push([...picks, [point, pick]]);
    }
  }
}
