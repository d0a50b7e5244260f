import type { Random } from "../engine/random.js";
import type { Ways } from "../engine/scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";

const LONGEST_PREFIX = 12;

/** A few random choices, and then an order in which nothing is starved: what still goes on for ever is a livelock. */
export class FairSuffixScheduler extends RandomScheduler {
  override readonly base = "fifo";
  #left: number;

  constructor(random: Random) {
    super(random);
    this.#left = random.below(LONGEST_PREFIX + 1);
  }

  override choose(ways: Ways): number {
    return this.#left-- > 0 ? super.choose(ways) : 0;
  }
}
