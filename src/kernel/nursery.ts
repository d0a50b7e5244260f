import { cancellation, isCancelled } from "./cancelled.js";
import { report } from "./deliver.js";
import { dispose } from "./dispose.js";
import { NurseryClosedError, UsageError } from "./errors.js";
import { BACKGROUND, CALLED, COLLAPSE, DISPOSED, DRAINING, ENDED, ENTERED, GROUP, LEAVING, OPEN } from "./flags.js";
import { childrenOf } from "./floating.js";
import { release, scopeOf } from "./lookup.js";
import type { CancelPolicy, PolicyNursery, PolicyOptions } from "./policy.js";
import { PolicyJoin } from "./policy-join.js";
import { quietly } from "./quiet.js";
import { leaveAndEnd } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";
import { startIn } from "./start.js";
import { type Named, Task, type TaskOptions } from "./task.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

export interface NurseryOptions extends Cancellable {
  readonly name?: string | undefined;
  /** `"group"`: every failure comes in an `ErrorGroup`, also a single one. Inherited. Default `"collapse"`: a single one comes as it is. */
  readonly errors?: "collapse" | "group" | undefined;
  /** Milliseconds that the cleanups of the nursery may take together, see `CancelScopeOptions`. */
  readonly cleanupTimeout?: number | undefined;
  /** When its tasks have it cancelled. Not inherited. Default `failFast()`: at the first failure. With a `JoinPolicy` it ends with the result of that. */
  readonly policy?: CancelPolicy | undefined;
}

/**
 * A scope that owns tasks: it is left only when its body, all its tasks and all its cleanups have ended, whatever happened.
 * The first failure, of a task or of the body, cancels everything in it. Made by `openNursery`, `run` and `Nursery.open`.
 *
 * Source: trio.Nursery.
 */
export class Nursery extends CancelScope implements AsyncDisposable {
  /** Tasks that keep it open, and starts under way. @internal */
  _pending: number;
  /** @internal */
  _started: number;
  /** Tasks whose result is disposable and that nobody has joined, in the order of their ends. @internal */
  _undelivered: Set<Task> | undefined;
  /** What `join()` of an open nursery returns: the one end that it has. @internal */
  _closing: Promise<unknown> | undefined;
  /** @internal */
  readonly _policyJoin: PolicyJoin | undefined;

  /** @internal */
  constructor(options?: NurseryOptions | PolicyOptions<never, unknown>) {
    super(options === undefined ? undefined : { name: options.name, cleanupTimeout: options.cleanupTimeout });
    this._pending = 0;
    this._started = 0;
    this._undelivered = undefined;
    this._closing = undefined;
    this._policyJoin = options?.policy === undefined ? undefined : new PolicyJoin(options.policy, this);
    const errors = options?.errors;
    if (errors === "group") this._flags |= GROUP;
    else if (errors === "collapse") this._flags |= COLLAPSE;
    else if (errors !== undefined) throw new UsageError('`errors` of a nursery is "collapse" or "group"');
  }

  /**
   * Opens a nursery for `await using`, in the scope of `options` or the ambient one. Its block must end with `await nursery.join()`: leaving it
   * otherwise, by a `throw` for example, cancels the tasks and waits for them, because disposal cannot see the error that is on its way.
   *
   * The code of the block runs in the scope around, not in the nursery: a failing task does not cancel it. Prefer `openNursery`.
   *
   * @example
   * await using nursery = Nursery.open();
   * nursery.startSoon(worker);
   * await nursery.join();
   */
  static open<T, R>(options: PolicyOptions<T, R>): PolicyNursery<T, R>;
  static open(options?: NurseryOptions): Nursery;
  static open(options?: NurseryOptions | PolicyOptions<never, unknown>): unknown {
    const nursery = new Nursery(options instanceof CancelScope ? undefined : options);
    nursery._flags |= OPEN;
    const parent = scopeOf(options);
    try {
      nursery._enter(parent);
    } catch (error) {
      release(parent);
      throw error;
    }
    return nursery;
  }

  /**
   * Starts a task, soon: `fn` begins on a microtask of its own, tasks in the order of the calls, never inside this call. Its scope is a child of the
   * nursery, its async context that of the caller. It begins also in a cancelled nursery, and runs up to its first checkpoint.
   *
   * @throws NurseryClosedError if the nursery has ended; `fn` is not called then
   * @throws UsageError if `fn` is no function, or the nursery was never entered
   */
  startSoon<T>(fn: (task: Task) => Awaitable<T>, options?: TaskOptions): Task<T> {
    requireFunction(fn, "nursery.startSoon()");
    this._admit();
    const task = this._newTask(fn, options);
    task._enter(this);
    this._count(task);
    task._begin(fn);
    return task as Task<T>;
  }

  /**
   * Starts a task and waits until it calls `started(value)`; resolves to that value. Until then the task belongs to the caller's scope, and what it throws
   * comes out of `start`; from then on it belongs to the nursery. A start under way keeps the nursery open.
   *
   * If the caller is cancelled before, so is the task, and `started` does nothing. A caller outside this
   * nursery gets `TaskCancelledError` if the nursery is cancelled first: the task is cancelled with it. So does any caller if the task is cancelled by itself.
   *
   * Source: trio.Nursery.start.
   *
   * @param options also the caller's scope, as `{ signal }`; by default the ambient one
   * @throws NurseryClosedError if the nursery has ended
   * @throws UsageError if the task ends without having called `started`
   */
  start<V>(fn: (task: Task, started: (value: V) => void) => Awaitable<unknown>, options?: TaskOptions & Cancellable): Promise<V> {
    return quietly(() => startIn(this, fn, options));
  }

  /** The tasks that have not ended, in the order of their starts. */
  get tasks(): Iterable<Task> {
    return childrenOf(this).filter((child): child is Task => child instanceof Task);
  }

  /** For `Nursery.open()`: waits until all tasks have ended, and throws what a nursery throws. May be called more than once. */
  join(): Promise<void> {
    if ((this._flags & OPEN) === 0) {
      return Promise.reject(
        new UsageError(`join() is for Nursery.open(); ${this._path} is left, and its tasks are awaited, at the end of its body`),
      );
    }
    this._closing ??= quietly(() => this._joinOpen());
    return this._closing as Promise<void>;
  }

  /** Without a `join()` before: cancels the tasks and waits for them. */
  [Symbol.asyncDispose](): Promise<void> {
    // Whoever called join() has been told how it ended.
    if (this._closing !== undefined) return this._closing.then(ignore, ignore);
    if (this._policyJoin !== undefined) this._policyJoin.isUnwanted = true;
    this._cancelWith(cancellation("shutdown", this._path, "its block was left without `await nursery.join()`", this._tree));
    return this.join();
  }

  override get name(): string {
    return this._rare?.name ?? "nursery";
  }

  /** @internal */
  override _enter(parent: ScopeNode): void {
    super._enter(parent);
    if ((this._flags & COLLAPSE) !== 0) this._flags &= ~GROUP;
  }

  /** @internal */
  override get _isPathed(): boolean {
    return true;
  }

  /** @internal */
  _admit(): void {
    if ((this._flags & ENDED) !== 0)
      throw new NurseryClosedError(
        `the nursery ${this._path} has ended, and takes no more tasks. Start them before its body and its tasks have ended`,
      );
    if ((this._flags & ENTERED) === 0)
      throw new UsageError("a nursery takes tasks inside the body of openNursery() or run(), or after Nursery.open()");
  }

  /** @internal */
  _newTask(fn: Named, options: TaskOptions | undefined): Task {
    const name = options?.name;
    return name === undefined
      ? new Task(fn, ++this._started, options?.background === true)
      : new Task(String(name), 0, options?.background === true);
  }

  /** R2: the failure is on record before anybody is cancelled for it. @internal */
  _failed(error: unknown): void {
    this._outcome.fail(error);
    if ((this._flags & CALLED) === 0) this._cancelWith(cancellation("failure", this._path, error, this._tree));
  }

  /** @internal */
  _count(task: Task): void {
    if ((task._flags & BACKGROUND) === 0) this._pending++;
  }

  /** A task has ended, or moved on to another nursery. @internal */
  _forget(task: ScopeNode): void {
    if ((task._flags & BACKGROUND) === 0) this._pending--;
  }

  /** A task that is driven by somebody else has left the tree. @internal */
  _ledTaskLeft(_task: Task): void {}

  /** @internal */
  _keepUndelivered(task: Task): void {
    this._undelivered ??= new Set();
    this._undelivered.add(task);
  }

  /** @internal */
  _delivered(task: Task): void {
    this._undelivered?.delete(task);
    this._policyJoin?.kept.delete(task);
  }

  /** @internal */
  override get _isOccupied(): boolean {
    return this._pending > 0 || super._isOccupied;
  }

  /** First its tasks come to their end by themselves; only then what is left is ended, background tasks among it. @internal */
  override _empty(): void {
    if (this._pending === 0) super._empty();
    else this._flags &= ~DRAINING;
  }

  /** @internal */
  override get _isReady(): boolean {
    return this._pending === 0 && ((this._flags & DRAINING) === 0 || !this._isOccupied);
  }

  /** @internal */
  override get _hasCleanups(): boolean {
    return this._hasUndelivered || this._policyJoin?.hasLost === true || super._hasCleanups;
  }

  /** Results that nobody received, because the nursery was cancelled, are disposed before anything else is cleaned up. @internal */
  override _takeCleanup(): ((scope: never) => Awaitable<unknown>) | undefined {
    this._policyJoin?.conclude();
    if (this._hasUndelivered) {
      for (const task of this._undelivered as Set<Task>) this._dispose(task);
      this._undelivered = undefined;
    }
    return super._takeCleanup();
  }

  /** @internal */
  get _hasUndelivered(): boolean {
    return this._reason !== undefined && this._undelivered !== undefined && this._undelivered.size > 0;
  }

  /** Has the result of a task disposed, which nobody will receive. @internal */
  _dispose(task: Task): void {
    task._flags |= DISPOSED;
    const rare = this._rarely;
    rare.disposed ??= new Set();
    if (rare.disposed.has(task._result)) return;
    rare.disposed.add(task._result);
    this.defer(() => dispose(task._result as Disposable | AsyncDisposable));
  }

  /** @internal */
  override get _isGrouping(): boolean {
    return (this._flags & GROUP) !== 0;
  }

  /** @internal */
  override _bodyThrew(error: unknown): void {
    const verdict = this._judge(error);
    if (verdict.isCancellation) this._outcome.cancelled(verdict.reason);
    else this._failed(verdict.error);
  }

  /** Waits for everything in it: a schedule point, also if there is nothing. @internal */
  override _leave(): Promise<void> | undefined {
    const leaving = super._leave();
    if (leaving !== undefined) return leaving;
    if ((this._flags & LEAVING) === 0) {
      this._flags |= LEAVING;
      return this._runtime.pause(this, "leave", this);
    }
    if (this._policyJoin?.isOver !== false) return undefined;
    this._policyJoin.conclude();
    return super._leave();
  }

  /** @internal */
  override _resultOf(value: unknown): unknown {
    return this._policyJoin === undefined ? value : this._policyJoin.resultInsteadOf(value);
  }

  /** @internal */
  async _joinOpen(): Promise<unknown> {
    try {
      await leaveAndEnd(this);
      return this._resultOf(undefined);
    } finally {
      release(this._parent as ScopeNode);
    }
  }

  /** @internal */
  override _abandon(): void {
    if ((this._flags & OPEN) === 0) return;
    this.join().catch((error) => {
      if (!isCancelled(error)) report(error);
    });
  }
}

function ignore(): void {}
