import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { requireCount } from "./require-count.js";

/**
 * Where a number of parties wait for one another: when the last one arrives, all go on. Then it begins anew, for the next round.
 *
 * A party that is cancelled leaves, as if it had not come: the others wait on, for one more. There is no broken state and no `abort()`, which barriers of
 * threads need because a thread may die unseen. Here the failure of a task cancels its siblings, and with them those that wait; to give up waiting,
 * cancel the scope, or use `moveOnAfter`.
 *
 * Pitfall: a party that comes to its end without arriving leaves the others waiting.
 *
 * Source: asyncio.Barrier, without its broken state; java.util.concurrent.CyclicBarrier.
 *
 * @example
 * const barrier = new Barrier(workers.length);
 * for (const worker of workers) {
 *   nursery.startSoon(async () => {
 *     await worker.prepare();
 *     if ((await barrier.wait()) === 0) console.log("all are prepared");
 *     await worker.work();
 *   });
 * }
 */
export class Barrier {
  /** How many have to arrive. */
  readonly parties: number;
  /** Fewer than `parties` wait in it. */
  readonly #waiting = new WaitQueue<number>("wait", this);

  /** @param parties a whole number, at least 1 */
  constructor(parties: number) {
    this.parties = requireCount(parties, "the number of parties of a barrier");
    if (parties === 0) throw new RangeError("a barrier has at least 1 party");
  }

  /**
   * Arrives, and waits until all have. Resolves to the place in the order of arrival, from 0 to `parties - 1` for the last one; each is given once a
   * round, so it can single one out for what is to be done once. All go on at once, woken in that order. A full checkpoint, also for the last one; a
   * cancelled `wait` has not arrived.
   */
  wait(scope?: Cancellable): Promise<number> {
    return operate(scope, waitIn, this);
  }

  /** How many have arrived and wait for the rest. */
  statistics(): { readonly parties: number; readonly tasksWaiting: number } {
    return { parties: this.parties, tasksWaiting: this.#waiting.size };
  }

  /** @internal */
  _wait(scope: CancelScope): Promise<number> {
    const last = this.parties - 1;
    if (this.#waiting.size < last) return this.#waiting.wait(scope, undefined);
    for (let place = 0; place < last; place++) this.#waiting.wakeFirst(place);
    return scope._runtime.pause(scope, "wait", this, last);
  }
}

function waitIn(scope: CancelScope, barrier: Barrier): Promise<number> {
  return barrier._wait(scope);
}
