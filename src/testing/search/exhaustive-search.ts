import { DepartureScheduler } from "../engine/departures.js";
import type { BaseOrder, Scheduler } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import type { Search } from "./search.js";

/** Every schedule there is, depth first. The number grows exponentially: for some three tasks and thirty steps. */
export class ExhaustiveSearch implements Search {
  readonly #base: BaseOrder;
  /** The way taken at each point of the next run; `undefined` when all have been tried. */
  #path: number[] | undefined = [];

  constructor(base: BaseOrder) {
    this.#base = base;
  }

  next(): Scheduler | undefined {
    const path = this.#path;
    if (path === undefined) return undefined;
    const picks = path.flatMap((pick, point): [number, number][] => (pick === 0 ? [] : [[point, pick]]));
    return new DepartureScheduler({ base: this.#base, picks });
  }

  ended({ points }: Trace): void {
    const path = this.#path as number[];
    let last = points.length - 1;
    while (last >= 0 && (path[last] ?? 0) + 1 >= (points[last] as number)) last--;
    if (last < 0) {
      this.#path = undefined;
      return;
    }
    const next = Array.from({ length: last + 1 }, (_, i) => path[i] ?? 0);
    next[last] = (next[last] as number) + 1;
    this.#path = next;
  }
}
