import type { ScopeNode } from "../kernel/scope-node.js";
import type { Task } from "../kernel/task.js";
import { type QueueWaiter, WaitQueue } from "../kernel/wait-queue.js";

/** Waiting tasks in order of arrival, each at most once: one that waited twice could wait for itself. */
export class TaskQueue extends WaitQueue<void, Task> {
  readonly #tasks = new Set<Task>();

  has(task: Task): boolean {
    return this.#tasks.has(task);
  }

  override wait(scope: ScopeNode, task: Task): Promise<void> {
    this.#tasks.add(task);
    return super.wait(scope, task);
  }

  override _remove(waiter: QueueWaiter<void, Task>): void {
    super._remove(waiter);
    this.#tasks.delete(waiter.what);
  }
}
