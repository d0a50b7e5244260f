import { Random } from "../engine/random.js";
import type { Scheduler } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import type { Search } from "./search.js";
import { type StepCounts, stepCountsOf } from "./urw-scheduler.js";

/** What a random scheduler is made from: random numbers of its own, and what is known of runs of the program. */
export interface Sampled {
  readonly random: Random;
  /** How many choices a run had, at most. */
  readonly length: number;
  readonly counts: StepCounts;
}

/** A random scheduler for each run, without end. */
export class SeededSearch implements Search {
  readonly #seeds: Random;
  readonly #make: (sampled: Sampled) => Scheduler;
  #length = 0;
  #counts: StepCounts = new Map();

  constructor(seed: number, make: (sampled: Sampled) => Scheduler) {
    this.#seeds = new Random(seed);
    this.#make = make;
  }

  next(): Scheduler {
    const random = new Random(this.#seeds.below(2 ** 32));
    return this.#make({ random, length: this.#length, counts: this.#counts });
  }

  ended(trace: Trace): void {
    this.#length = Math.max(this.#length, trace.points.length);
    if (this.#counts.size === 0) this.#counts = stepCountsOf(trace);
  }
}
