import { classify } from "../kernel/classify.js";
import { report } from "../kernel/deliver.js";
import { Operation } from "../kernel/operation.js";
import type { Abort } from "../kernel/park.js";
import { quiet } from "../kernel/quiet.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { isThenable, promiseOf } from "../kernel/thenable.js";
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
export class ForeignOperation<T> extends Operation<T> {
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
  #onSettled: (() => void) | undefined = undefined;

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
    if (this.#isCancelled) this.finishCancel();
  }

  /** Its start threw, or the promise that it returned: that is how it ends. If it has ended already, nobody else would be told. */
  failedToStart(error: unknown): void {
    if (this.waiter.isOver && this.#onSettled === undefined) report(error);
    else this.rejected(error);
  }

  fulfilled(value: T): void {
    if (this.waiter.isOver) {
      this.#settle();
      this.#late(value);
    } else if (this.#isCallingOff) this.#keepResult({ ok: true, value });
    else this.#done(value);
  }

  rejected(error: unknown): void {
    if (this.waiter.isOver) this.#settle();
    else if (this.#isCallingOff) this.#keepResult({ ok: false, error });
    else if (this.#isCancelled) this.#cancelled(this.#cancellationFor(error));
    else this.waiter.fail(error);
  }

  override cancel(reason: unknown): boolean {
    this.#isCancelled = true;
    this.#reason = reason;
    return true;
  }

  override finishCancel(): void {
    const calling = this.#calling;
    if (calling === undefined || this.waiter.isOver) return;
    this.#isCallingOff = true;
    try {
      const answer = calling.onCancel?.();
      if (isThenable(answer)) {
        promiseOf(answer).then(
          (later) => this.#calledOff(later, calling),
          (error) => this.#notCalledOff(error),
        );
      } else this.#calledOff(answer, calling);
    } catch (error) {
      this.#notCalledOff(error);
    }
  }

  #calledOff(answer: unknown, { settle, goesOn }: Calling): void {
    this.#isCallingOff = false;
    const result = this.#result;
    if (result !== undefined) this.#endWith(result);
    else if (settle === "now" && answer !== false) {
      if (goesOn) this.#leaveBehind();
      this.#cancelled(this.#reason);
    }
  }

  /** What calls it off has failed. That is a failure as any other, and nothing is known of the operation. */
  #notCalledOff(error: unknown): void {
    this.#isCallingOff = false;
    const result = this.#result;
    if (result === undefined) this.#leaveBehind();
    this.waiter.fail(error);
    this.#delivered = undefined;
    if (result?.ok) this.#late(result.value);
  }

  /** Only the first result counts. */
  #keepResult(result: Result<T>): void {
    if (this.#result === undefined) {
      this.#result = result;
      if (result.ok) this.#delivered = result.value;
    } else if (result.ok) this.#late(result.value);
  }

  #endWith(result: Result<T>): void {
    if (result.ok) this.#done(result.value);
    else this.#cancelled(this.#cancellationFor(result.error));
  }

  #done(value: T): void {
    this.#delivered = value;
    this.waiter.wake(value);
  }

  #cancelled(error: unknown): void {
    quiet(this.waiter.promise);
    this.waiter.fail(error);
  }

  #leaveBehind(): void {
    this.#onSettled = leaveBehind(this.waiter._scope as ScopeNode);
  }

  #late(value: T): void {
    if (value !== undefined && (value === this.#delivered || value === this.#lastLate)) return;
    this.#lastLate = value;
    receiveLate(value, this.#onLate);
  }

  /** Once it is cancelled, whatever it rejects with is the cancellation. An error that says so by itself goes on as it is. */
  #cancellationFor(error: unknown): unknown {
    if (error === this.#reason) return error;
    const verdict = classify(error, this.waiter._scope as ScopeNode);
    return verdict.isCancellation && verdict.assumed === 0 ? error : new OperationAborted(error, this.#reason);
  }

  #settle(): void {
    this.#onSettled?.();
    this.#onSettled = undefined;
  }
}
