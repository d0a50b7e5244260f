import type { Ready } from "../engine/ready.js";
import type { Ways } from "../engine/scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";

/**
 * The step of the highest priority goes on. Each gets a random one when it is first seen, and another one when a step about the same object went first.
 *
 * Source: Yuan, Yang, Gu, Partial Order Aware Concurrency Sampling (CAV 2018).
 */
export class PosScheduler extends RandomScheduler {
  readonly #priorities = new Map<Ready, number>();

  protected override _chooseOf(ways: Ways, n: number): number {
    let best = 0;
    let highest = -1;
    for (let way = 0; way < n; way++) {
      const priority = this.#priorityOf(ways.at(way) as Ready);
      if (priority > highest) {
        best = way;
        highest = priority;
      }
    }
    const chosen = ways.at(best) as Ready;
    this.#priorities.delete(chosen);
    if (chosen.on === undefined) return best;
    for (let way = 0; way < n; way++) {
      const other = ways.at(way) as Ready;
      if (other !== chosen && other.on === chosen.on) this.#priorities.delete(other);
    }
    return best;
  }

  #priorityOf(ready: Ready): number {
    let priority = this.#priorities.get(ready);
    if (priority === undefined) {
      priority = this._random.next();
      this.#priorities.set(ready, priority);
    }
    return priority;
  }
}
