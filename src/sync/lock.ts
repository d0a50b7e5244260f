import { BrokenResourceError, UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Holding, Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { holding } from "./holding.js";
import { callingTask, taskOf } from "./task-of.js";
import { TaskQueue } from "./task-queue.js";

/**
 * Mutual exclusion between tasks. Its owner is a task, and it is not re-entrant. First come, first served: a released lock belongs
 * to the longest waiting task at once, so nobody gets in between.
 *
 * If its owner ends without releasing it, it is broken: what it guards may be in any state, so all who wait for it, and all who come
 * later, get `BrokenResourceError`.
 *
 * Source: trio.Lock.
 *
 * @example await lock.run(() => update(shared));
 */
export class Lock {
  readonly #waiting = new TaskQueue("acquire", this);
  #owner: Task | undefined = undefined;
  #brokenBy: Task | undefined = undefined;
  /** @internal */ nextHeld: Holding | undefined = undefined;
  /** @internal */ previousHeld: Holding | undefined = undefined;

  get isLocked(): boolean {
    return this.#owner !== undefined;
  }

  /**
   * Waits until the lock is free, and takes it for the calling task. A full checkpoint, also if it is free; a cancelled `acquire` took nothing.
   *
   * @throws UsageError if the task has it already
   * @throws BrokenResourceError if its owner ended without releasing it
   */
  acquire(scope?: Cancellable): Promise<void> {
    return operate(scope, acquireIn, this);
  }

  /** Takes it if it is free. No checkpoint. @throws WouldBlock if it is not */
  acquireNowait(scope?: Cancellable): void {
    if (!this._take(callingTask(scope, "a lock"))) throw new WouldBlock("the lock is held by another task");
  }

  /** Gives it to the longest waiting task. No checkpoint. @throws UsageError if the calling task does not have it */
  release(scope?: Cancellable): void {
    this._release(callingTask(scope, "a lock"));
  }

  /** Runs `body` while it has the lock. */
  run<T>(body: () => Awaitable<T>, scope?: Cancellable): Promise<T> {
    return holding(this, body, scope);
  }

  statistics(): { readonly locked: boolean; readonly owner: Task | undefined; readonly tasksWaiting: number } {
    return { locked: this.isLocked, owner: this.#owner, tasksWaiting: this.#waiting.size };
  }

  /** For the wait graph. @internal */
  get _holders(): Task[] {
    return this.#owner === undefined ? [] : [this.#owner];
  }

  /** @internal */
  _acquire(scope: CancelScope): Promise<void> {
    const task = taskOf(scope, "a lock");
    return this._take(task) ? scope._runtime.pause(scope, "acquire", this) : this.#waiting.wait(scope, task);
  }

  /** @internal */
  _take(task: Task): boolean {
    if (this.#brokenBy !== undefined) throw this.#broken();
    if (this.#owner === task) throw new UsageError(`${task._path} has this lock already; it is not re-entrant`);
    if (this.#waiting.has(task)) throw new UsageError(`${task._path} waits for this lock already, and would wait for itself`);
    if (this.#owner !== undefined) return false;
    this.#setOwner(task);
    return true;
  }

  /** @internal */
  _release(task: Task): void {
    if (this.#owner !== task)
      throw new UsageError(
        `${task._path} releases a lock that it does not have; ${this.#owner === undefined ? "nobody" : this.#owner._path} has it`,
      );
    this.#dropOwner(task);
    const next = this.#waiting.first;
    if (next === undefined) return;
    this.#setOwner(next.what);
    next.wake();
  }

  /** @internal */
  holderEnded(task: Task): void {
    this.#dropOwner(task);
    this.#brokenBy = task;
    this.#waiting.failAll(this.#broken());
  }

  #broken(): BrokenResourceError {
    return new BrokenResourceError(
      `the task ${this.#brokenBy?._path} ended without releasing this lock, so what it guards may be in any state. Release it in a finally, or use lock.run()`,
    );
  }

  #setOwner(task: Task): void {
    this.#owner = task;
    const rare = task._rarely;
    this.nextHeld = rare.held;
    if (rare.held !== undefined) rare.held.previousHeld = this;
    rare.held = this;
  }

  #dropOwner(task: Task): void {
    this.#owner = undefined;
    if (this.nextHeld !== undefined) this.nextHeld.previousHeld = this.previousHeld;
    if (this.previousHeld !== undefined) this.previousHeld.nextHeld = this.nextHeld;
    else task._rarely.held = this.nextHeld;
    this.nextHeld = undefined;
    this.previousHeld = undefined;
  }
}

function acquireIn(scope: CancelScope, lock: Lock): Promise<void> {
  return lock._acquire(scope);
}
