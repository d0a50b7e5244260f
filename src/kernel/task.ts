import { enterAmbientScope } from "#context";
import type { Cancelled } from "./cancelled.js";
import { describe } from "./describe.js";
import { dispose, isDisposable } from "./dispose.js";
import { TaskCancelledError } from "./errors.js";
import { BACKGROUND, CALLED, CAUGHT, DISPOSED, ENDED, EXPLICIT, LED, MAIN, TASK } from "./flags.js";
import { Joining, joinIn } from "./join.js";
import { operate } from "./lookup.js";
import type { Nursery } from "./nursery.js";
import type { TaskOutcome } from "./policy.js";
import { quiet } from "./quiet.js";
import type { Rare } from "./rare.js";
import { CancelScope } from "./scope.js";
import { type Alternative, type Selectable, selectable } from "./selectable.js";
import type { Awaitable, Cancellable } from "./types.js";

/** `pending`: not begun. `cancelled`: it ended by a cancellation, its own or one from outside. */
export type TaskState = "pending" | "running" | "done" | "failed" | "cancelled";

export interface TaskOptions {
  /** Default: the name of the function and a number, as `fetchPage#17`. */
  readonly name?: string | undefined;
  /** It does not keep its nursery open: when the body and all other tasks have ended, it is cancelled. */
  readonly background?: boolean | undefined;
}

/** A function, of which only the name is asked. */
export interface Named {
  readonly name: string;
}

type TaskFunction = (task: Task) => Awaitable<unknown>;

/** Something that breaks when the task that holds it ends, a lock for example. Links in the task's list of what it holds. */
export interface Holding {
  nextHeld: Holding | undefined;
  previousHeld: Holding | undefined;
  holderEnded(task: Task): void;
}

/**
 * One child of a nursery, as `nursery.startSoon` returns it: a scope of its own, with an outcome. What it runs receives it.
 *
 * A failure of a task is a failure of its nursery, whether or not anybody joins it.
 *
 * Source: trio.lowlevel.Task; the handle is that of AnyIO 4.14.
 */
export class Task<out T = unknown> extends CancelScope implements Selectable<T> {
  /** @internal */
  _state: TaskState;
  /** The function until it begins, its value once done, its error once failed, the `Cancelled` once cancelled. @internal */
  _result: unknown;
  /** The name that was given, or the function's; or the function, whose name takes a while to read, so that it is not read before somebody asks. @internal */
  readonly _label: string | Named;
  /** Its number in its nursery, from 1; 0 when it was given a name, which is told as it is. @internal */
  readonly _number: number;

  /** @internal */
  constructor(label: string | Named, number: number, isBackground: boolean) {
    super();
    this._state = "pending";
    this._result = undefined;
    this._label = label;
    this._number = number;
    this._flags |= isBackground ? TASK | BACKGROUND : TASK;
  }

  override get name(): string {
    const label = typeof this._label === "string" ? this._label : this._label.name;
    return this._number === 0 ? label : `${label || "task"}#${this._number}`;
  }

  /** @internal */
  override get _isPathed(): boolean {
    return (this._flags & MAIN) === 0;
  }

  get state(): TaskState {
    return this._state;
  }

  /** How it has ended, with its value, its error or its cancellation. `undefined` as long as it has not. Nothing is waited for, and nothing thrown. */
  get outcome(): TaskOutcome<T> | undefined {
    const isOver = (this._flags & ENDED) !== 0 || (this._parent as Nursery | undefined)?._policyJoin?.asking === this;
    switch (isOver ? this._state : "running") {
      case "done":
        return { state: "done", value: this._result as T };
      case "failed":
        return { state: "failed", error: this._result };
      case "cancelled":
        return { state: "cancelled", reason: this._result as Cancelled };
      default:
        return undefined;
    }
  }

  /**
   * Waits until the task has ended, and resolves to its value. A full checkpoint; joiners wake in order of arrival.
   *
   * @throws the task's own error object, if it failed
   * @throws TaskCancelledError if it was cancelled: that is somebody else's cancellation, not the caller's
   * @throws UsageError if the caller runs inside this very task, which would wait for itself
   */
  join(scope?: Cancellable): Promise<T> {
    return operate(scope, joinIn<T>, this);
  }

  /** `select` takes a task as one of its cases: it joins it. */
  [selectable](): Alternative<T> {
    return new Joining(this);
  }

  /** On a microtask of its own, whose async context is that of the caller. @internal */
  _begin(fn: TaskFunction): void {
    this._result = fn;
    void this._runtime.start(this).then(begin);
  }

  /** Takes its first step. What it runs has one reaction only, so that the engine can follow the awaits of an error's async stack. @internal */
  _step(): void {
    const fn = this._result as TaskFunction;
    this._state = "running";
    let result: Awaitable<unknown>;
    try {
      result = (this._flags & EXPLICIT) === 0 ? enterAmbientScope(this, fn, this as Task) : fn(this);
    } catch (error) {
      this._threw(error);
      return;
    }
    // Bound functions take a third of the memory of closures, which is what tasks that wait are made of.
    Promise.resolve(result).then(this._returned.bind(this), this._threw.bind(this));
  }

  /** @internal */
  _returned(value: unknown): void {
    this._state = "done";
    this._result = value;
    this._conclude();
  }

  /** @internal */
  _threw(error: unknown): void {
    const verdict = this._judge(error);
    this._state = verdict.isCancellation ? "cancelled" : "failed";
    this._result = verdict.isCancellation ? verdict.reason : verdict.error;
    this._conclude();
  }

  /** Ends what is still in it, then itself. @internal */
  _conclude(): void {
    const leaving = this._leave();
    if (leaving === undefined) this._finish();
    else {
      // Its cleanups may fail as well, and come after it then.
      if (this._state === "failed") this._outcome.fail(this._result);
      void leaving.then(() => this._conclude());
    }
  }

  /** Tells first those who joined it, then its nursery: so that a joiner there gets the task's own error, not the cancellation it causes. @internal */
  _finish(): void {
    const nursery = this._parent as Nursery;
    const outcome = this._rare?.outcome;
    if (outcome?.hasFailed) {
      // It brought something, and failed all the same, when it cleaned up: so nobody gets that.
      if (this._state === "done" && isDisposable(this._result)) deferDisposal(nursery, this._result);
      this._state = "failed";
      this._result = outcome.error(this);
    }
    const isJoined = this._rare !== undefined && this._tellDependents(this._rare);
    const isLed = (this._flags & LED) !== 0;
    if (!isJoined && !isLed && this._state === "done" && isDisposable(this._result)) nursery._keepUndelivered(this);
    if (nursery._policyJoin !== undefined) nursery._policyJoin.settled(this);
    else if (this._state !== "done") this._tellNursery(nursery);
    nursery._forget(this);
    this._end();
    if (isLed) nursery._ledTaskLeft(this);
  }

  /** @internal */
  _tellNursery(nursery: Nursery): void {
    if (this._state === "failed") nursery._failed(this._result);
    else if ((this._flags & CALLED) === 0 || this._isCancelledOutside) nursery._outcome.cancelled(this._result as Cancelled);
    else this._flags |= CAUGHT;
  }

  /** The main task has no nursery: `run` drives it. @internal */
  _endMain(state: TaskState, outcome: unknown): void {
    this._result = outcome;
    this._state = state;
    if (this._rare !== undefined) this._tellDependents(this._rare);
  }

  /** Breaks what it has not given back, and wakes those who joined it. Returns whether there were any. @internal */
  _tellDependents(rare: Rare): boolean {
    while (rare.held !== undefined) rare.held.holderEnded(this);
    const { joiners } = rare;
    if (joiners === undefined || joiners.size === 0) return false;
    if (this._state === "done") joiners.wakeAll(this._result);
    else {
      // The nursery is told as well, so a join that nobody awaits is not to be reported.
      for (let joiner = joiners.first; joiner !== undefined; joiner = joiner._after) quiet(joiner.promise);
      joiners.failAll(this._state === "failed" ? this._result : this._cancelledError());
    }
    return true;
  }

  /** What a join that comes after its end gets. @internal */
  _value(): T {
    if (this._state === "failed") throw this._result;
    if (this._state === "cancelled" || (this._flags & DISPOSED) !== 0) throw this._cancelledError();
    if ((this._flags & MAIN) === 0) (this._parent as Nursery)._delivered(this);
    return this._result as T;
  }

  /** @internal */
  _cancelledError(): TaskCancelledError {
    const why =
      this._state === "cancelled"
        ? `was cancelled (${describe(this._result)})`
        : "has ended, and its result was disposed, because its nursery was cancelled";
    return new TaskCancelledError(
      `the task ${this._path} ${why}, so it has no result to join`,
      this._path,
      this._state === "cancelled" ? this._result : undefined,
    );
  }
}

function begin(task: Task): void {
  task._step();
}

function deferDisposal(nursery: Nursery, value: Disposable | AsyncDisposable): void {
  nursery.defer(() => dispose(value));
}
