import { UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { holding } from "./holding.js";
import { requireCount } from "./require-count.js";
import { callingTask, taskOf } from "./task-of.js";
import { TaskQueue } from "./task-queue.js";

/**
 * Limits how many tasks do something at a time. Each borrows one token, and gives it back itself. First come, first served.
 * The total may be moved at any time: raising it lets waiting tasks in at once, lowering it takes nothing away.
 *
 * Source: trio.CapacityLimiter.
 *
 * @example
 * const limiter = new CapacityLimiter(8);
 * await limiter.run(() => fetchPage(url));
 */
export class CapacityLimiter {
  readonly #waiting = new TaskQueue("acquire", this);
  readonly #borrowers = new Set<Task>();
  #total: number;

  /** @param total a whole number, or `Infinity` */
  constructor(total: number) {
    this.#total = requireCount(total, "the total of a limiter", true);
  }

  get total(): number {
    return this.#total;
  }

  set total(total: number) {
    this.#total = requireCount(total, "the total of a limiter", true);
    this.#admit();
  }

  get borrowed(): number {
    return this.#borrowers.size;
  }

  /** How many could be borrowed now; negative after the total was lowered below what is borrowed. */
  get available(): number {
    return this.#total - this.#borrowers.size;
  }

  /**
   * Waits for a token, and borrows it for the calling task. A full checkpoint, also if one is free; a cancelled `acquire` borrowed nothing.
   *
   * @throws UsageError if the task has one already: it would wait for itself
   */
  acquire(scope?: Cancellable): Promise<void> {
    return operate(scope, acquireIn, this);
  }

  /** Borrows a token if one is free. No checkpoint. @throws WouldBlock if none is */
  acquireNowait(scope?: Cancellable): void {
    if (!this._borrow(callingTask(scope, "a token"))) throw new WouldBlock("no token of the limiter is free");
  }

  /** Gives the token of the calling task back. No checkpoint. @throws UsageError if it has none */
  release(scope?: Cancellable): void {
    const task = callingTask(scope, "a token");
    if (!this.#borrowers.delete(task)) throw new UsageError(`${task._path} gives back a token that it has not borrowed`);
    this.#admit();
  }

  /** Runs `body` while it has a token. */
  run<T>(body: () => Awaitable<T>, scope?: Cancellable): Promise<T> {
    return holding(this, body, scope);
  }

  statistics(): { readonly total: number; readonly borrowed: number; readonly borrowers: readonly Task[]; readonly tasksWaiting: number } {
    return { total: this.#total, borrowed: this.borrowed, borrowers: [...this.#borrowers], tasksWaiting: this.#waiting.size };
  }

  /** For the wait graph. @internal */
  get _holders(): Task[] {
    return [...this.#borrowers];
  }

  /** @internal */
  _acquire(scope: CancelScope): Promise<void> {
    const task = taskOf(scope, "a token");
    return this._borrow(task) ? scope._runtime.pause(scope, "acquire", this) : this.#waiting.wait(scope, task);
  }

  /** @internal */
  _borrow(task: Task): boolean {
    if (this.#waiting.has(task))
      throw new UsageError(`${task._path} waits for a token of this limiter already; a task borrows one at a time`);
    if (this.#borrowers.has(task)) throw new UsageError(`${task._path} has a token of this limiter already; a task borrows one at a time`);
    if (this.#waiting.size > 0 || this.available < 1) return false;
    this.#borrowers.add(task);
    return true;
  }

  #admit(): void {
    for (let next = this.#waiting.first; next !== undefined && this.available >= 1; next = this.#waiting.first) {
      this.#borrowers.add(next.what);
      next.wake();
    }
  }
}

function acquireIn(scope: CancelScope, limiter: CapacityLimiter): Promise<void> {
  return limiter._acquire(scope);
}
