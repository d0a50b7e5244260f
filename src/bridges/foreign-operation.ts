import { classify } from "../kernel/classify.js";
import { report } from "../kernel/deliver.js";
import type { Abort } from "../kernel/park.js";
import { quiet } from "../kernel/quiet.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { isThenable, promiseOf } from "../kernel/thenable.js";
import { Waiter } from "../kernel/waiter.js";
import type { BridgeOptions, Settle } from "./bridge-options.js";
import { leaveBehind } from "./leave-behind.js";
import { OperationAborted } from "./operation-aborted.js";
import { receiveLate } from "./receive-late.js";

/** How a foreign operation is told of a cancellation, and what becomes of the wait for it. */
export interface Calling {
  /** Calls it off. What it returns is awaited; `false` says that it could not be called off, and the wait goes on. */
  readonly onCancel: Abort | undefined;
  readonly settle: Settle;
  /** With `"now"`: whether it goes on all the same. */
  readonly goesOn: boolean;
}

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/**
 * The wait for something that is not ours: it may come to its end in spite of a cancellation, also while it is being called off, and then it has;
 * and it may settle when nobody waits any more.
 *
 * It stays parked until its outcome is decided, so its scope is not left before.
 */
export class ForeignOperation<T> extends Waiter<T> {
  readonly op: string;
  readonly on: object | undefined;
  readonly #onLate: ((value: T) => unknown) | undefined;
  /** `undefined` until its start is over: only then is known how to call it off. */
  #calling: Calling | undefined = undefined;
  #isCancelled = false;
  #reason: unknown = undefined;
  /** It is being called off, which takes its time. Meanwhile its result is kept. */
  #isCallingOff = false;
  #result: Result<T> | undefined = undefined;
  /** A callback that is called twice may well hand out the same object twice: one that is in use, or that has been taken care of. */
  #delivered: T | undefined = undefined;
  #lastLate: T | undefined = undefined;
  /** It was given up, and is counted until it settles. */
  #settled: (() => void) | undefined = undefined;

  constructor(op: string, options: BridgeOptions<T> | undefined) {
    super();
    this.op = options?.op ?? op;
    this.on = options?.on;
    this.#onLate = options?.onLate;
  }

  override get isCancellable(): boolean {
    return !this.#isCancelled;
  }

  override get isForeign(): boolean {
    return true;
  }

  /** Its start is over. A cancellation that came meanwhile had to wait for it. */
  started(calling: Calling): void {
    this.#calling = calling;
    if (this.#isCancelled) this._finishCancel();
  }

  /** Its start threw, or the promise that it returned: that is how it ends. If it has ended already, nobody else would be told. */
  failedToStart(error: unknown): void {
    if (this.isOver && this.#settled === undefined) report(error);
    else this.rejected(error);
  }

  fulfilled(value: T): void {
    if (this.isOver) {
      this._settle();
      this._late(value);
    } else if (this.#isCallingOff) this._keepResult({ ok: true, value });
    else this._done(value);
  }

  rejected(error: unknown): void {
    if (this.isOver) this._settle();
    else if (this.#isCallingOff) this._keepResult({ ok: false, error });
    else if (this.#isCancelled) this._cancelled(this._cancellationFor(error));
    else this.fail(error);
  }

  override _cancel(reason: unknown): boolean {
    this.#isCancelled = true;
    this.#reason = reason;
    return true;
  }

  override _finishCancel(): void {
    const calling = this.#calling;
    if (calling === undefined || this.isOver) return;
    this.#isCallingOff = true;
    try {
      const answer = calling.onCancel?.();
      if (isThenable(answer)) {
        promiseOf(answer).then(
          (later) => this._calledOff(later, calling),
          (error) => this._notCalledOff(error),
        );
      } else this._calledOff(answer, calling);
    } catch (error) {
      this._notCalledOff(error);
    }
  }

  /** @internal */
  _calledOff(answer: unknown, { settle, goesOn }: Calling): void {
    this.#isCallingOff = false;
    const result = this.#result;
    if (result !== undefined) this._endWith(result);
    else if (settle === "now" && answer !== false) {
      if (goesOn) this._leaveBehind();
      this._cancelled(this.#reason);
    }
  }

  /** What calls it off has failed. That is a failure as any other, and nothing is known of the operation. @internal */
  _notCalledOff(error: unknown): void {
    this.#isCallingOff = false;
    const result = this.#result;
    if (result === undefined) this._leaveBehind();
    this.fail(error);
    this.#delivered = undefined;
    if (result?.ok) this._late(result.value);
  }

  /** Only the first result counts. @internal */
  _keepResult(result: Result<T>): void {
    if (this.#result === undefined) {
      this.#result = result;
      if (result.ok) this.#delivered = result.value;
    } else if (result.ok) this._late(result.value);
  }

  /** @internal */
  _endWith(result: Result<T>): void {
    if (result.ok) this._done(result.value);
    else this._cancelled(this._cancellationFor(result.error));
  }

  /** @internal */
  _done(value: T): void {
    this.#delivered = value;
    this.wake(value);
  }

  /** @internal */
  _cancelled(error: unknown): void {
    quiet(this.promise);
    this.fail(error);
  }

  /** @internal */
  _leaveBehind(): void {
    this.#settled = leaveBehind(this._scope as ScopeNode);
  }

  /** @internal */
  _late(value: T): void {
    if (value !== undefined && (value === this.#delivered || value === this.#lastLate)) return;
    this.#lastLate = value;
    receiveLate(value, this.#onLate);
  }

  /** Once it is cancelled, whatever it rejects with is the cancellation. An error that says so by itself goes on as it is. @internal */
  _cancellationFor(error: unknown): unknown {
    if (error === this.#reason) return error;
    const verdict = classify(error, this._scope as ScopeNode);
    return verdict.isCancellation && verdict.assumed === 0 ? error : new OperationAborted(error, this.#reason);
  }

  /** @internal */
  _settle(): void {
    this.#settled?.();
    this.#settled = undefined;
  }
}
