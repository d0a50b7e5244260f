import { quiet } from "../kernel/quiet.js";
import type { Task } from "../kernel/task.js";
import { WaitHandler } from "../kernel/wait-handler.js";
import type { QueueWaiter } from "../kernel/wait-queue.js";
import type { Lock } from "./lock.js";

/**
 * One `wait()` of a condition: first in the queue of the condition, then, notified or cancelled, in that of the lock. It ends when its task is given
 * the lock, never before: that is why a cancellation does not end it, but is what it ends with.
 */
export class ConditionWait extends WaitHandler<QueueWaiter<void, Task>> {
  readonly #lock: Lock;
  /** The cancellation that came, if one did. The first one stays. */
  #reason: unknown = undefined;

  constructor(lock: Lock) {
    super();
    this.#lock = lock;
  }

  override get isCancellable(): boolean {
    return this.#reason === undefined;
  }

  /** Its task has the lock; or that is broken. */
  override end(waiter: QueueWaiter<void, Task>, outcome: unknown, failed: boolean): boolean {
    if (failed || this.#reason === undefined) return waiter._endAs(outcome, failed);
    return waiter._endAs(this.#reason, true);
  }

  override cancel(waiter: QueueWaiter<void, Task>, reason: unknown): boolean {
    quiet(waiter.promise);
    this.#reason = reason;
    this.#lock._enqueue(waiter);
    return false;
  }
}
