import { operate } from "../kernel/lookup.js";
import type { Abort } from "../kernel/park.js";
import type { CancelScope } from "../kernel/scope.js";
import { isThenable, promiseOf } from "../kernel/thenable.js";
import type { Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import { type BridgeOptions, requireOptions, type Settle } from "./bridge-options.js";
import { ForeignOperation } from "./foreign-operation.js";

/** The callback of an operation: `(error, value)`, as in Node, where no error is one that is falsy. For other conventions it has the two separately. */
export interface Done<T> {
  (error: unknown, value?: T): void;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export interface FromCallbackOptions<T> extends BridgeOptions<T> {
  /**
   * What a cancellation does to the wait. `"wait"`: it goes on until the callback is called. `"now"`: it ends.
   * Default: `"now"` if `start` has returned how to call the operation off, for then it is over; else `"wait"`, for then it goes on.
   */
  readonly settle?: Settle | undefined;
}

/**
 * Waits for an operation that calls back. `start` is called at once, with the callback, and returns how to call the operation off, if it can be: a function that is called
 * once, synchronously, when the scope is cancelled. A full checkpoint; callbacks may also come synchronously.
 *
 * What happens to the operation when the scope is cancelled:
 *
 * | `start` returned | `settle` | |
 * | --- | --- | --- |
 * | a function | by default | it is called, and the wait is over; a promise that it returns is awaited before; if it returns `false` the wait goes on |
 * | a function | `"wait"` | it is called, and the wait goes on until the callback is called |
 * | nothing | by default | the wait goes on: the operation cannot be interrupted |
 * | nothing | `"now"` | the wait is over, the operation goes on, counted in `scope.abandoned` |
 *
 * While the wait goes on, a value is returned all the same, and an error counts as the cancellation (see `cancellable`). The first call of the callback
 * counts. A value that comes later, after the wait or by a second call, is given to `onLate`, or else disposed if it can be; a later error is dropped.
 *
 * Source: node:util.promisify; Kotlin's suspendCancellableCoroutine.
 *
 * @throws what `start` throws
 * @throws the error that the callback was called with
 * @example
 * const text = await fromCallback<string>((done) => fs.readFile(path, "utf8", done));
 *
 * @example
 * // Another convention, and something that can be called off.
 * const answer = await fromCallback<Message>((done) => {
 *   const call = client.getMessage(request);
 *   call.on("data", done.resolve).on("error", done.reject);
 *   return () => call.cancel();
 * });
 */
export function fromCallback<T = void>(
  start: (done: Done<T>) => Abort | void,
  options?: FromCallbackOptions<T>,
  scope?: Cancellable,
): Promise<T> {
  return operate(scope, fromCallbackIn<T>, { start, options });
}

interface Given<T> {
  readonly start: (done: Done<T>) => Abort | void;
  readonly options: FromCallbackOptions<T> | undefined;
}

function fromCallbackIn<T>(scope: CancelScope, { start, options }: Given<T>): Promise<T> {
  requireFunction(start, "fromCallback()");
  requireOptions(options, "fromCallback()");
  const operation = new ForeignOperation<T>("fromCallback", options);
  const promise = scope._park(operation.waiter);
  let onCancel: Abort | undefined;
  try {
    const returned: unknown = start(doneOf(operation));
    if (typeof returned === "function") onCancel = returned as Abort;
    // An async function: if it throws, it will never call back.
    else if (isThenable(returned)) promiseOf(returned).catch((error) => operation.failedToStart(error));
  } catch (error) {
    operation.failedToStart(error);
  }
  operation.started({
    onCancel,
    settle: options?.settle ?? (onCancel === undefined ? "wait" : "now"),
    goesOn: onCancel === undefined,
  });
  return promise;
}

function doneOf<T>(operation: ForeignOperation<T>): Done<T> {
  const resolve = (value: T) => operation.fulfilled(value);
  const reject = (error: unknown) => operation.rejected(error);
  const done = (error: unknown, value?: T) => (error ? reject(error) : resolve(value as T));
  return Object.assign(done, { resolve, reject });
}
