import type { Random } from "../engine/random.js";
import type { Ready, SimTask } from "../engine/ready.js";
import type { Ways } from "../engine/scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";

/**
 * The task of the highest priority goes on. Priorities are random; at `depth - 1` random choices the one that would go on gets the lowest.
 *
 * Source: Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs (ASPLOS 2010).
 */
export class PctScheduler extends RandomScheduler {
  readonly #priorities = new Map<SimTask, number>();
  readonly #changes = new Set<number>();
  #choices = 0;
  #lowest = 0;

  /** `length`: how many choices a run is expected to have. */
  constructor(random: Random, depth: number, length: number) {
    super(random);
    for (let i = 1; i < depth; i++) this.#changes.add(random.below(Math.max(1, length)));
  }

  protected override _chooseOf(ways: Ways, n: number): number {
    let best = this.#best(ways, n);
    if (this.#changes.has(this.#choices++)) {
      this.#priorities.set((ways.at(best) as Ready).task, --this.#lowest);
      best = this.#best(ways, n);
    }
    return best;
  }

  #best(ways: Ways, n: number): number {
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let way = 0; way < n; way++) {
      const priority = this.#priorityOf((ways.at(way) as Ready).task);
      if (priority > highest) {
        best = way;
        highest = priority;
      }
    }
    return best;
  }

  #priorityOf(task: SimTask): number {
    let priority = this.#priorities.get(task);
    if (priority === undefined) {
      priority = this._random.next();
      this.#priorities.set(task, priority);
    }
    return priority;
  }
}
