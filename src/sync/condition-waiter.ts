import { quiet } from "../kernel/quiet.js";
import type { Task } from "../kernel/task.js";
import { QueueWaiter } from "../kernel/wait-queue.js";
import type { ConditionQueue } from "./condition-queue.js";
import type { Lock } from "./lock.js";

/**
 * One `wait()` of a condition: first in the queue of the condition, then, notified or cancelled, in that of the lock. It ends when its task is given
 * the lock, never before: that is why a cancellation does not end it, but is what it ends with.
 */
export class ConditionWaiter extends QueueWaiter<void, Task> {
  readonly #lock: Lock;
  /** The cancellation that came, if one did. The first one stays. */
  #reason: unknown = undefined;

  constructor(queue: ConditionQueue, task: Task, lock: Lock) {
    super(queue, task);
    this.#lock = lock;
    queue._append(this);
  }

  override get isCancellable(): boolean {
    return this.#reason === undefined;
  }

  /** Its task has the lock. */
  override wake(): boolean {
    return this.#reason === undefined ? super.wake() : this.fail(this.#reason);
  }

  override _cancel(reason: unknown): boolean {
    quiet(this.promise);
    this.#reason = reason;
    this.#lock._enqueue(this);
    return false;
  }
}
