import type { Cancelled } from "../kernel/cancelled.js";
import { describe } from "../kernel/describe.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { QueueWaiter } from "../kernel/wait-queue.js";
import { ConditionQueue } from "./condition-queue.js";
import { ConditionWait } from "./condition-wait.js";
import { holding } from "./holding.js";
import { Lock } from "./lock.js";
import { operateAnyway } from "./operate-anyway.js";
import { requireCount } from "./require-count.js";
import { callingTask, taskOf } from "./task-of.js";

/**
 * A lock, and a place to wait until what it guards has changed: `wait` gives the lock up, and has it again when it ends.
 * Whoever changes something notifies, first come, first served. For something that happens once an `Event` is simpler.
 *
 * A notified task goes on when it is given the lock, behind all who stood in line for that already. What it waits for may have changed again by then,
 * so look again, in a loop.
 *
 * Pitfall: a notification wakes one task, and is used up also if that task is cancelled before it goes on (as in Trio). Where each notification stands for
 * something that must be taken, pass it on, or use `notifyAll`; one notification too many does no harm to who looks again.
 *
 *     while (queue.length === 0) await condition.wait();                       // wrong: cancelled after notify(), the item stays, and nobody knows
 *
 *     try {
 *       while (queue.length === 0) await condition.wait();                     // right
 *     } catch (error) {
 *       condition.notify();
 *       throw error;
 *     }
 *
 * Pitfall: a `wait` that is not awaited, or that loses a `Promise.race`, goes on, and its task is without the lock meanwhile. Limit it by `moveOnAfter`,
 * which ends it.
 *
 * Source: trio.Condition.
 *
 * @example
 * await condition.run(async () => {
 *   while (queue.length === 0) await condition.wait();
 *   return queue.shift();
 * });
 *
 * await condition.run(() => {
 *   queue.push(item);
 *   condition.notify();
 * });
 */
export class Condition {
  readonly #lock: Lock;
  readonly #waiting: ConditionQueue;

  /**
   * @param lock by default one of its own; several conditions may share one
   * @throws TypeError if it is anything else
   */
  constructor(lock: Lock = new Lock()) {
    if (!(lock instanceof Lock)) throw new TypeError(`a condition is made around a Lock, not ${describe(lock)}`);
    this.#lock = lock;
    this.#waiting = new ConditionQueue(this, lock);
  }

  /** Whether anybody has the lock. */
  get isLocked(): boolean {
    return this.#lock.isLocked;
  }

  /** Acquires the lock, see `Lock.acquire`. */
  acquire(scope?: Cancellable): Promise<void> {
    return this.#lock.acquire(scope);
  }

  /** Takes the lock if it is free, see `Lock.acquireNowait`. */
  acquireNowait(scope?: Cancellable): void {
    this.#lock.acquireNowait(scope);
  }

  /** Releases the lock, see `Lock.release`. */
  release(scope?: Cancellable): void {
    this.#lock.release(scope);
  }

  /** Runs `body` while it has the lock. */
  run<T>(body: () => Awaitable<T>, scope?: Cancellable): Promise<T> {
    return holding(this.#lock, body, scope);
  }

  /**
   * Gives the lock to the next in line, waits for a notification, and then for the lock. A full checkpoint. Tasks are notified in order of arrival.
   *
   * However it ends, its task has the lock again, so that a `finally` can release it. When it is cancelled, before its notification or after, it stands in
   * line for the lock like anybody else, which nothing interrupts, and throws `Cancelled` then: a cancellation may take as long as others have the lock.
   * So does one in a scope that is cancelled already, and one that nobody awaits when its scope is left.
   *
   * @throws UsageError if the calling task does not have the lock
   * @throws BrokenResourceError if a task ended without releasing the lock: that is the one case in which the lock is not had again
   */
  wait(scope?: Cancellable): Promise<void> {
    return operateAnyway(scope, waitIn, this);
  }

  /**
   * Notifies the `n` tasks that have waited longest, or as many as there are. They go on one by one as the lock is released, behind those who wait for it
   * already. No checkpoint.
   *
   * @param n a whole number that is not negative, or `Infinity`; by default 1
   * @throws UsageError if the calling task does not have the lock
   */
  notify(scope?: Cancellable): void;
  notify(n: number | undefined, scope?: Cancellable): void;
  notify(first?: number | Cancellable, second?: Cancellable): void {
    if (typeof first === "object") this.#notify(1, first);
    else this.#notify(requireCount(first ?? 1, "the number of tasks to notify", true), second);
  }

  /** Notifies all who wait. Otherwise as `notify`. */
  notifyAll(scope?: Cancellable): void {
    this.#notify(Number.POSITIVE_INFINITY, scope);
  }

  /** How many wait for a notification, and the statistics of the lock, for which notified tasks wait. */
  statistics(): { readonly tasksWaiting: number; readonly lockStatistics: ReturnType<Lock["statistics"]> } {
    return { tasksWaiting: this.#waiting.size, lockStatistics: this.#lock.statistics() };
  }

  #notify(n: number, scope: Cancellable | undefined): void {
    this.#lock._requireOwner(callingTask(scope, "a lock"), "notifies without the lock of the condition");
    for (let left = Math.min(n, this.#waiting.size); left > 0; left--) this.#waiting.moveFirst(this.#lock._waiting);
  }

  /** @internal */
  _wait(scope: CancelScope, cancelled: Cancelled | undefined): Promise<void> {
    const task = taskOf(scope, "a lock");
    this.#lock._requireOwner(task, "waits without the lock of the condition");
    const waiter = new QueueWaiter(this.#waiting, task, new ConditionWait(this.#lock));
    this.#waiting._append(waiter);
    const promise = scope._park(waiter);
    this.#lock._release(task);
    if (cancelled !== undefined) waiter._cancel(cancelled);
    return promise;
  }
}

function waitIn(scope: CancelScope, condition: Condition, cancelled: Cancelled | undefined): Promise<void> {
  return condition._wait(scope, cancelled);
}
