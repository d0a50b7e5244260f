import { UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { holding } from "./holding.js";
import { requireCount } from "./require-count.js";

/**
 * A number of permits that anyone may take and give back. First come, first served: a released permit belongs to the longest waiting one at once.
 * To limit how many tasks do something at a time, `CapacityLimiter` is better: it knows who has what.
 *
 * Source: trio.Semaphore.
 *
 * @example await semaphore.run(() => fetchPage(url));
 */
export class Semaphore {
  readonly #waiting = new WaitQueue<void>("acquire", this);
  readonly #max: number;
  /** How many permits are free. Never above 0 while anyone waits. */
  #value: number;

  /**
   * @param initial how many permits there are at first: an integer, not negative
   * @param options `max`: more can never be free; one `release` too many is a UsageError then
   */
  constructor(initial: number, options?: { readonly max?: number | undefined }) {
    this.#value = requireCount(initial, "the initial value of a semaphore");
    this.#max = options?.max === undefined ? Number.POSITIVE_INFINITY : requireCount(options.max, "`max` of a semaphore");
    if (this.#value > this.#max) throw new RangeError("the initial value of a semaphore is not above its `max`");
  }

  /** How many permits are free. */
  get value(): number {
    return this.#value;
  }

  /** Waits for a permit, and takes it. A full checkpoint, also if one is free; a cancelled `acquire` took none. */
  acquire(scope?: Cancellable): Promise<void> {
    return operate(scope, acquireIn, this);
  }

  /** Takes a permit if one is free. No checkpoint. @throws WouldBlock if none is */
  acquireNowait(): void {
    if (this.#value === 0) throw new WouldBlock("no permit of the semaphore is free");
    this.#value--;
  }

  /** Gives a permit back, to the longest waiting one. No checkpoint; anyone may do it. @throws UsageError if `max` are free already */
  release(): void {
    if (this.#waiting.wakeFirst() !== undefined) return;
    if (this.#value === this.#max)
      throw new UsageError(`the semaphore was released too many times: all of its ${this.#max} permits are free`);
    this.#value++;
  }

  /** Runs `body` while it has a permit. */
  run<T>(body: () => Awaitable<T>, scope?: Cancellable): Promise<T> {
    return holding(this, body, scope);
  }

  statistics(): { readonly value: number; readonly tasksWaiting: number } {
    return { value: this.#value, tasksWaiting: this.#waiting.size };
  }

  /** @internal */
  _acquire(scope: CancelScope): Promise<void> {
    if (this.#value === 0) return this.#waiting.wait(scope, undefined);
    this.#value--;
    return scope._runtime.pause(scope, "acquire", this);
  }
}

function acquireIn(scope: CancelScope, semaphore: Semaphore): Promise<void> {
  return semaphore._acquire(scope);
}
