import type { Random } from "../engine/random.js";
import type { Ready } from "../engine/ready.js";
import type { Ways } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import { RandomScheduler } from "./random-scheduler.js";

/** How many steps each task takes, by its name. */
export type StepCounts = ReadonlyMap<string, number>;

export function stepCountsOf({ entries }: Trace): StepCounts {
  const counts = new Map<string, number>();
  for (const { task } of entries) counts.set(task.name, (counts.get(task.name) ?? 0) + 1);
  return counts;
}

/**
 * Chooses each task in proportion to the steps that it has left, which makes all interleavings about equally likely, where a choice with equal odds hardly
 * ever lets one task do many steps while another does few. The counts are those of an earlier run.
 *
 * Source: Zhao et al., Selectively Uniform Concurrency Testing (ASPLOS 2025).
 */
export class UrwScheduler extends RandomScheduler {
  readonly #left: Map<string, number>;

  constructor(random: Random, counts: StepCounts) {
    super(random);
    this.#left = new Map(counts);
  }

  passed({ task }: Ready): void {
    this.#left.set(task.name, this.#leftOf(task.name) - 1);
  }

  protected override _chooseOf(ways: Ways, n: number): number {
    let total = 0;
    for (let way = 0; way < n; way++) total += this.#leftOf((ways.at(way) as Ready).task.name);
    let at = this._random.next() * total;
    let chosen = 0;
    for (let way = 0; way < n; way++) {
      at -= this.#leftOf((ways.at(way) as Ready).task.name);
      if (at < 0) {
        chosen = way;
        break;
      }
    }
    this.passed(ways.at(chosen) as Ready);
    return chosen;
  }

  /** One at least: a task may have more steps than it had the last time. */
  #leftOf(name: string): number {
    return Math.max(1, this.#left.get(name) ?? 1);
  }
}
