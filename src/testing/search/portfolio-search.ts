import { baseScheduler, type Scheduler } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import { BoundedSearch } from "./bounded-search.js";
import { FairSuffixScheduler } from "./fair-suffix-scheduler.js";
import { PctScheduler } from "./pct-scheduler.js";
import { PosScheduler } from "./pos-scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";
import type { Search } from "./search.js";
import { SeededSearch } from "./seeded-search.js";
import { UrwScheduler } from "./urw-scheduler.js";

/** How many of the schedules with one preemption are tried, at most. */
const PREEMPTIONS = 64;
const PCT_DEPTH = 3;

/**
 * First in, first out; each task until it waits; that with one preemption, at each place there is; then random schedulers of several kinds in turn. Nearly
 * all bugs take few departures, so the systematic part finds most; where one takes more, no kind of chance is the best for all.
 */
export class PortfolioSearch implements Search {
  readonly #systematic = new BoundedSearch("run", 1);
  readonly #random: SeededSearch;
  #tried = 0;
  #isSystematic = false;

  constructor(seed: number) {
    let turn = 0;
    this.#random = new SeededSearch(seed, ({ random, length, counts }) => {
      switch (turn++ % 5) {
        case 0:
          return new PosScheduler(random);
        case 1:
          return new PctScheduler(random, PCT_DEPTH, length);
        case 2:
          return new UrwScheduler(random, counts);
        case 3:
          return new RandomScheduler(random);
        default:
          return new FairSuffixScheduler(random);
      }
    });
  }

  next(): Scheduler {
    const tried = this.#tried++;
    if (tried === 0) return baseScheduler("fifo");
    const systematic = tried <= PREEMPTIONS + 1 ? this.#systematic.next() : undefined;
    this.#isSystematic = systematic !== undefined;
    return systematic ?? this.#random.next();
  }

  ended(trace: Trace): void {
    if (this.#isSystematic) this.#systematic.ended(trace);
    this.#random.ended(trace);
  }
}
