import { Broadcast, CapacityLimiter, Condition, Lock, RateLimiter, Semaphore } from "../../../src/index.js";
import { Exclusive } from "../checks/exclusive.js";
import type { Ledger } from "../checks/ledger.js";
import { RateCheck } from "../checks/rate-check.js";

const RATE = { limit: 40, interval: 100, burst: 10 };

/** What all requests share, each with who checks that it is not shared by more than it may. */
export class Pools {
  readonly lock = new Lock();
  readonly semaphore = new Semaphore(4, { max: 4 });
  readonly limiter = new CapacityLimiter(6);
  readonly rate = new RateLimiter(RATE);
  readonly condition = new Condition();
  readonly news = new Broadcast<number>({ capacity: 8, onSlow: "dropOldest" });
  readonly inLock: Exclusive;
  readonly inSemaphore: Exclusive;
  readonly inLimiter: Exclusive;
  readonly inCondition: Exclusive;
  readonly rateCheck: RateCheck;
  /** What the condition guards. */
  readonly shelf: number[] = [];
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.inLock = new Exclusive("the lock", () => 1, ledger);
    this.inSemaphore = new Exclusive("the semaphore", () => 4, ledger);
    this.inLimiter = new Exclusive("the limiter", () => 6, ledger);
    this.inCondition = new Exclusive("the lock of the condition", () => 1, ledger);
    this.rateCheck = new RateCheck(RATE, ledger);
  }

  /** While nothing is under way, everything has been given back, and nobody waits. */
  checkAtRest(): void {
    const { lock, semaphore, limiter, condition, news, rate } = this;
    const state = {
      locked: lock.isLocked,
      permits: semaphore.value,
      borrowed: limiter.borrowed,
      inCondition: condition.isLocked,
      subscribers: news.statistics().subscribers,
      waiting:
        lock.statistics().tasksWaiting +
        semaphore.statistics().tasksWaiting +
        limiter.statistics().tasksWaiting +
        condition.statistics().tasksWaiting +
        rate.statistics().tasksWaiting +
        news.statistics().tasksWaitingSend,
    };
    const rest = { locked: false, permits: 4, borrowed: 0, inCondition: false, subscribers: 0, waiting: 0 };
    const [is, shouldBe] = [JSON.stringify(state), JSON.stringify(rest)];
    this.#ledger.check(is === shouldBe, () => `at rest, and the pools are ${is}, not ${shouldBe}`);
    this.shelf.length = 0;
  }
}
