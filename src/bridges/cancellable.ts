import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { promiseOf } from "../kernel/thenable.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import { type BridgeOptions, requireOptions, type Settle } from "./bridge-options.js";
import { ForeignOperation } from "./foreign-operation.js";

export interface CancellableOptions<T> extends BridgeOptions<T> {
  /**
   * Calls the operation off, where the signal does not: called once, synchronously, when the scope is cancelled. A promise that it returns is
   * awaited; `false` says that the operation cannot be called off, and that there is nothing but to wait for it. What it throws is a failure.
   */
  readonly onCancel?: (() => unknown) | undefined;
  /**
   * What a cancellation does to the wait. `"wait"`, the default: it goes on until the operation has settled. `"now"`: it ends, for an operation that never
   * settles once it is called off, and `scope.abandoned` counts what is left behind.
   */
  readonly settle?: Settle | undefined;
}

/**
 * Runs one foreign operation, and takes whatever it rejects with for the cancellation, once the scope is cancelled: for an operation that tells of an abort by an
 * error which says something else, that has a function to call instead of a signal, or that does not settle when it is aborted. What takes a signal and rejects
 * with an `AbortError` needs none of it: pass it the scope.
 *
 * `start` is called at once, with the scope's own signal. If the scope is cancelled, the signal is aborted and `onCancel` called, and then the wait goes on: the operation has
 * ended when this has. If it succeeds all the same, its value is returned, and the next checkpoint throws. If it rejects, this throws `OperationAborted`, which
 * counts as the cancellation and has the error as its `original`. A full checkpoint.
 *
 * Pitfall: a genuine failure that comes after the cancellation counts as the cancellation as well. Wrap the one operation, not the code around it.
 *
 * Pitfall: left floating, an operation without `onCancel` can be told nothing when its scope ends normally, for the signal stays as it is. Then it is left behind,
 * and counted, as with `settle: "now"`.
 *
 * @throws what the operation rejects with before the scope is cancelled, as it is
 * @example
 * const rows = await cancellable(() => client.query(text), { onCancel: () => cancelBackend(client.processID) });
 *
 * @example
 * // mysql2: after destroy() the promise never settles.
 * const rows = await cancellable(() => connection.query(text), { onCancel: () => connection.destroy(), settle: "now" });
 */
export function cancellable<T>(
  start: (signal: AbortSignal) => Awaitable<T>,
  options?: CancellableOptions<T>,
  scope?: Cancellable,
): Promise<T> {
  return operate(scope, cancellableIn<T>, { start, options });
}

interface Given<T> {
  readonly start: (signal: AbortSignal) => Awaitable<T>;
  readonly options: CancellableOptions<T> | undefined;
}

function cancellableIn<T>(scope: CancelScope, { start, options }: Given<T>): Promise<T> {
  requireFunction(start, "cancellable()");
  requireOptions(options, "cancellable()");
  const operation = new ForeignOperation<T>("cancellable", options);
  const promise = scope._park(operation.waiter);
  try {
    promiseOf(start(scope.signal)).then(
      (value) => operation.fulfilled(value),
      (error) => operation.rejected(error),
    );
  } catch (error) {
    operation.failedToStart(error);
  }
  const onCancel = options?.onCancel;
  operation.started({
    onCancel,
    goesOn: true,
    // Left floating in a scope that is not cancelled, it has been told nothing.
    get settle() {
      return options?.settle ?? (onCancel === undefined && scope._reason === undefined ? "now" : "wait");
    },
  });
  return promise;
}
