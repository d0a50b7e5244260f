import type { Random } from "../engine/random.js";
import type { BaseOrder, Scheduler, Ways } from "../engine/scheduler.js";

/** How often time passes where tasks could go on, and a fault is injected where one could be: more would hide what comes after. */
const TIME = 0.25;
const FAULT = 0.125;

/** Takes any way. The other random schedulers differ in how they choose among tasks. */
export class RandomScheduler implements Scheduler {
  readonly base: BaseOrder = "run";
  /** @internal */
  protected readonly _random: Random;

  constructor(random: Random) {
    this._random = random;
  }

  choose(ways: Ways): number {
    const last = ways.count - 1;
    if (ways.at(last) !== undefined) return this._chooseOf(ways, ways.count);
    if (this._random.next() * ways.count < TIME) return last;
    return last === 1 ? 0 : this._chooseOf(ways, last);
  }

  pick(n: number, what: "choice" | "fault"): number {
    return what === "fault" ? Number(this._random.next() < FAULT) : this._random.below(n);
  }

  /** Of the first `n` ways, by each of which a task goes on. @internal */
  protected _chooseOf(_ways: Ways, n: number): number {
    return this._random.below(n);
  }
}
