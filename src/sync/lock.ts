import { BrokenResourceError, UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Holding, Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import type { Queued, WaitQueue } from "../kernel/wait-queue.js";
import { DistinctQueue } from "./distinct-queue.js";
import { holding } from "./holding.js";
import { callingTask, taskOf } from "./task-of.js";

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
  /** Nobody waits while nobody owns it. The queues of its conditions are beside it. @internal */
  readonly _waiting = new DistinctQueue<Task>("acquire", this);
  /** The queues of its conditions in which somebody waits. Made for the first one. @internal */
  _conditions: Set<WaitQueue<void, Task>> | undefined = undefined;
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
    return { locked: this.isLocked, owner: this.#owner, tasksWaiting: this._waiting.size };
  }

  /** For the wait graph, and for who looks for what is left: a task that ended without releasing it counts. @internal */
  get _holders(): Task[] {
    const holder = this.#owner ?? this.#brokenBy;
    return holder === undefined ? [] : [holder];
  }

  /** @internal */
  _acquire(scope: CancelScope): Promise<void> {
    const task = taskOf(scope, "a lock");
    return this._take(task) ? scope._runtime.pause(scope, "acquire", this) : this._waiting.wait(scope, task);
  }

  /** @internal */
  _take(task: Task): boolean {
    if (this.#brokenBy !== undefined) throw this.#broken();
    if (this.#owner === task) throw new UsageError(`${task._path} has this lock already; it is not re-entrant`);
    // While nobody owns it and nobody waits in a condition of it, nobody waits.
    if (this.#owner !== undefined || this._conditions !== undefined) {
      if (this._waiting.has(task)) throw new UsageError(`${task._path} waits for this lock already, and would wait for itself`);
      if (this.#owner !== undefined) return false;
    }
    this.#setOwner(task);
    return true;
  }

  /** @internal */
  _release(task: Task): void {
    this._requireOwner(task, "releases a lock that it does not have");
    this.#dropOwner(task);
    this.#admit();
  }

  /** @internal */
  _requireOwner(task: Task, complaint: string): void {
    if (this.#owner === task) return;
    // A `finally` that would release it does not hide why a `wait()` has not got it back.
    if (this.#brokenBy !== undefined) throw this.#broken();
    const advice = this._waiting.has(task) ? ". The task waits for it, in an acquire() or a wait() that was not awaited" : "";
    throw new UsageError(`${task._path} ${complaint}; ${this.#owner === undefined ? "nobody" : this.#owner._path} has it${advice}`);
  }

  /** Has a waiter, of a condition or its own, wait for it from now on, behind all others. @internal */
  _enqueue(waiter: Queued<void, Task>): void {
    waiter._queue._remove(waiter);
    this._waiting._append(waiter);
    if (this.#owner === undefined) this.#admit();
  }

  /** @internal */
  holderEnded(task: Task): void {
    this.#dropOwner(task);
    this.#brokenBy = task;
    const error = this.#broken();
    this._waiting.failAll(error);
    // Nobody can notify them any more, because for that one needs the lock.
    for (const queue of this._conditions ?? []) queue.failAll(error);
  }

  /** Gives it to the longest waiting task. */
  #admit(): void {
    const next = this._waiting.first;
    if (next === undefined) return;
    this.#setOwner(next.what);
    next.wake();
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
