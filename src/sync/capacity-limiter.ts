import { describe } from "../kernel/describe.js";
import { UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { BorrowedToken } from "./borrowed-token.js";
import { DistinctQueue } from "./distinct-queue.js";
import { holding } from "./holding.js";
import { requireCount } from "./require-count.js";
import { callingTask, taskOf } from "./task-of.js";

/**
 * Limits how many do something at a time. Each borrower has one token, and gives it back itself. First come, first served.
 * The total may be moved at any time: raising it lets waiting borrowers in at once, lowering it takes nothing away.
 *
 * `acquire`, `release` and `run` borrow for the calling task. For something else than a task, a connection or a tenant, there is `acquireOnBehalfOf`;
 * for what is done many times at once within one task, or given back by another, there is `borrow`.
 *
 * Pitfall: a task borrows once at a time, because a second token might be one that it keeps from itself. So
 * `Promise.all(urls.map((url) => limiter.run(() => fetchPage(url))))` in one task is a UsageError. Start a task for each, or `borrow`.
 *
 * Source: trio.CapacityLimiter; `borrow` is the `acquire` of a Governor of the TC39 proposal for concurrency control, and `run` its `with`.
 *
 * @example
 * const limiter = new CapacityLimiter(8);
 * await limiter.run(() => fetchPage(url));
 */
export class CapacityLimiter {
  /** Nobody waits while a token is free. */
  readonly #waiting = new DistinctQueue<unknown, BorrowedToken | undefined>("acquire", this);
  readonly #borrowers = new Set<unknown>();
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
    this.#borrowNow(callingTask(scope, "a token"));
  }

  /** Gives the token of the calling task back. No checkpoint. @throws UsageError if it has none */
  release(scope?: Cancellable): void {
    this.releaseOnBehalfOf(callingTask(scope, "a token"));
  }

  /** Runs `body` while the calling task has a token. */
  run<T>(body: () => Awaitable<T>, scope?: Cancellable): Promise<T> {
    return holding(this, body, scope);
  }

  /**
   * As `acquire`, for a borrower of any kind: an object, or a value that tells it from others, compared as by a `Set`. For a task it is what
   * `acquire` in that task is.
   *
   * @throws UsageError if the borrower has a token already, or waits for one
   * @throws TypeError if there is none: `undefined` or `null`
   * @example
   * await limiter.acquireOnBehalfOf(connection);
   * connection.once("close", () => limiter.releaseOnBehalfOf(connection));
   */
  acquireOnBehalfOf(borrower: unknown, scope?: Cancellable): Promise<void> {
    return operate(scope, acquireForIn, this, borrower);
  }

  /** As `acquireNowait`, for a borrower of any kind. No checkpoint, and needs no scope. @throws WouldBlock if no token is free */
  acquireOnBehalfOfNowait(borrower: unknown): void {
    this.#borrowNow(requireBorrower(borrower));
  }

  /** Gives the token of `borrower` back, wherever it is called. No checkpoint. @throws UsageError if it has none */
  releaseOnBehalfOf(borrower: unknown): void {
    if (!this._giveBack(borrower)) throw new UsageError(`${nameOf(borrower)} gives back a token that it has not borrowed`);
  }

  /**
   * Waits for a token that is its own borrower, and is given back by `release()` or at the end of the block. Otherwise as `acquire`. One task may
   * borrow several, and each may be given back by another.
   *
   * Pitfall: who borrows a second one before giving the first one back may wait for itself, and nothing tells.
   *
   * @example
   * await Promise.all(urls.map(async (url) => {
   *   using token = await limiter.borrow();
   *   await fetchPage(url);
   * }));
   */
  borrow(scope?: Cancellable): Promise<BorrowedToken> {
    return operate(scope, borrowIn, this);
  }

  /** `borrowers`: tasks and other borrowers, in the order in which they were let in. */
  statistics(): {
    readonly total: number;
    readonly borrowed: number;
    readonly borrowers: readonly unknown[];
    readonly tasksWaiting: number;
  } {
    return { total: this.#total, borrowed: this.borrowed, borrowers: [...this.#borrowers], tasksWaiting: this.#waiting.size };
  }

  /** For the wait graph. @internal */
  get _holders(): Task[] {
    return [...this.#borrowers].filter((borrower) => borrower instanceof Task);
  }

  /** Resolves to the borrower if that is a token. @internal */
  _acquire(scope: CancelScope, borrower: unknown): Promise<BorrowedToken | undefined> {
    return this.#take(borrower) ? scope._runtime.pause(scope, "acquire", this, tokenOf(borrower)) : this.#waiting.wait(scope, borrower);
  }

  /** False if it had borrowed nothing. @internal */
  _giveBack(borrower: unknown): boolean {
    if (!this.#borrowers.delete(borrower)) return false;
    this.#admit();
    return true;
  }

  #borrowNow(borrower: unknown): void {
    if (!this.#take(borrower)) throw new WouldBlock("no token of the limiter is free");
  }

  #take(borrower: unknown): boolean {
    if (this.#waiting.has(borrower))
      throw new UsageError(`${nameOf(borrower)} waits for a token of this limiter already; ${kindOf(borrower)} borrows one at a time`);
    if (this.#borrowers.has(borrower))
      throw new UsageError(`${nameOf(borrower)} has a token of this limiter already; ${kindOf(borrower)} borrows one at a time`);
    if (this.available < 1) return false;
    this.#borrowers.add(borrower);
    return true;
  }

  #admit(): void {
    for (let next = this.#waiting.first; next !== undefined && this.available >= 1; next = this.#waiting.first) {
      this.#borrowers.add(next.what);
      next.wake(tokenOf(next.what));
    }
  }
}

function acquireIn(scope: CancelScope, limiter: CapacityLimiter): Promise<void> {
  return limiter._acquire(scope, taskOf(scope, "a token")) as Promise<undefined>;
}

function acquireForIn(scope: CancelScope, limiter: CapacityLimiter, borrower: unknown): Promise<void> {
  return limiter._acquire(scope, requireBorrower(borrower)) as Promise<undefined>;
}

function borrowIn(scope: CancelScope, limiter: CapacityLimiter): Promise<BorrowedToken> {
  return limiter._acquire(scope, new BorrowedToken(limiter)) as Promise<BorrowedToken>;
}

function tokenOf(borrower: unknown): BorrowedToken | undefined {
  return borrower instanceof BorrowedToken ? borrower : undefined;
}

function requireBorrower(borrower: unknown): unknown {
  if (borrower === undefined || borrower === null) throw new TypeError(`a borrower is an object or a value of its own, not ${borrower}`);
  return borrower;
}

function nameOf(borrower: unknown): string {
  return borrower instanceof Task ? borrower._path : describe(borrower);
}

function kindOf(borrower: unknown): string {
  return borrower instanceof Task ? "a task" : "a borrower";
}
