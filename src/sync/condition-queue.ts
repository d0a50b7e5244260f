import type { Task } from "../kernel/task.js";
import type { Queued } from "../kernel/wait-queue.js";
import { DistinctQueue } from "./distinct-queue.js";
import type { Lock } from "./lock.js";

/** Tasks that wait for a notification. The lock knows it while there are any, because they must be told if it breaks. */
export class ConditionQueue extends DistinctQueue<Task> {
  readonly #lock: Lock;

  constructor(on: object, lock: Lock) {
    super("wait", on, lock._waiting);
    this.#lock = lock;
  }

  override _append(waiter: Queued<void, Task>): void {
    super._append(waiter);
    this.#lock._conditions ??= new Set();
    this.#lock._conditions.add(this);
  }

  override _remove(waiter: Queued<void, Task>): void {
    super._remove(waiter);
    if (this.size === 0) this.#lock._conditions?.delete(this);
  }
}
