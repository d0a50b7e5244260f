import { describe } from "../kernel/describe.js";
import { operate, scopeOf } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { isThenable, promiseOf } from "../kernel/thenable.js";
import type { Cancellable } from "../kernel/types.js";
import { type BridgeOptions, requireOptions } from "./bridge-options.js";
import { ForeignOperation } from "./foreign-operation.js";
import { leaveBehind } from "./leave-behind.js";
import { receiveLate } from "./receive-late.js";

/**
 * Waits for a promise, and stops waiting for it when the scope is cancelled: for what cannot be called off at all.
 *
 * What the promise stands for goes on then, outside of every scope. It is counted in `scope.abandoned`, of this scope and of those around it, until it settles. A value
 * that comes late is given to `onLate`, or else disposed if it can be; a failure that comes late is dropped. A full checkpoint. Also in a scope that is cancelled
 * already the promise is taken care of.
 *
 * Pitfall: what is abandoned still uses what it was given. Do not close under it what it needs, and give back in `onLate` what it brings.
 *
 * Source: trio.to_thread.run_sync(abandon_on_cancel=True).
 *
 * @throws TypeError if it is no promise
 * @example
 * const key = await abandonOnCancel(crypto.subtle.deriveKey(...parameters));
 *
 * @example
 * const client = await abandonOnCancel(pool.connect(), { onLate: (late) => late.release() });
 */
export function abandonOnCancel<T>(promise: PromiseLike<T>, options?: BridgeOptions<T>, scope?: Cancellable): Promise<T> {
  let at: CancelScope;
  try {
    requirePromise(promise);
    requireOptions(options, "abandonOnCancel()");
    at = scopeOf(scope);
  } catch (error) {
    return Promise.reject(error);
  }
  const operation = new ForeignOperation<T>("abandonOnCancel", options);
  const wait = operate(at, parkIn<T>, operation);
  const isBegun = operation.waiter._scope !== undefined;
  if (isBegun) operation.started({ onCancel: undefined, settle: "now", goesOn: true });
  // Refused because the scope is cancelled: what the promise stands for is running all the same.
  const settled = isBegun ? undefined : leaveBehind(at);
  promiseOf(promise).then(
    (value) => {
      settled?.();
      if (isBegun) operation.fulfilled(value);
      else receiveLate(value, options?.onLate);
    },
    (error) => {
      settled?.();
      if (isBegun) operation.rejected(error);
    },
  );
  return wait;
}

function parkIn<T>(scope: CancelScope, operation: ForeignOperation<T>): Promise<T> {
  return scope._park(operation.waiter);
}

function requirePromise(promise: unknown): void {
  if (isThenable(promise)) return;
  const advice = typeof promise === "function" ? ". For what has to be started first, there is cancellable()" : "";
  throw new TypeError(`abandonOnCancel() takes a promise, not ${describe(promise)}${advice}`);
}
