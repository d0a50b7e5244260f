import type { Task } from "../kernel/task.js";
import { type Queued, WaitQueue } from "../kernel/wait-queue.js";

/** Waiting tasks in order of arrival, each at most once: one that waited twice could wait for itself. */
export class TaskQueue extends WaitQueue<void, Task> {
  readonly #tasks = new Set<Task>();

  has(task: Task): boolean {
    return this.#tasks.has(task);
  }

  override _append(waiter: Queued<void, Task>): void {
    super._append(waiter);
    this.#tasks.add(waiter.what);
  }

  override _remove(waiter: Queued<void, Task>): void {
    super._remove(waiter);
    this.#tasks.delete(waiter.what);
  }
}
