import type { BaseOrder, Scheduler, Ways } from "./scheduler.js";

/** A schedule as data: a base order, and where it is departed from. Everything else goes its way by itself. */
export interface Departures {
  readonly base: BaseOrder;
  /** Whether time may pass while something is ready, which is one more way at each point then. */
  readonly timeRaces: boolean;
  /** Seed of `sim.random()`. */
  readonly seed: number;
  /** Number of a choice point, and which way is taken there: 1 or more, because 0 is the base order. In order of the points. */
  readonly picks: readonly (readonly [point: number, pick: number])[];
}

/** Takes a schedule that is data. Where the program offers fewer ways than the schedule takes, it takes the last. */
export class DepartureScheduler implements Scheduler {
  readonly base: BaseOrder;
  readonly #picks: Departures["picks"];
  #next = 0;
  #point = 0;

  constructor({ base, picks }: Pick<Departures, "base" | "picks">) {
    this.base = base;
    this.#picks = picks;
  }

  choose(ways: Ways): number {
    return this.#at(ways.count);
  }

  pick(n: number): number {
    return this.#at(n);
  }

  #at(n: number): number {
    const departure = this.#picks[this.#next];
    if (departure?.[0] !== this.#point++) return 0;
    this.#next++;
    return Math.min(departure[1], n - 1);
  }
}
