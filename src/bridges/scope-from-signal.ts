import { linkOf } from "../kernel/foreign-signal.js";
import { CancelScope, type CancelScopeOptions } from "../kernel/scope.js";
import { requireSignal } from "./require-signal.js";

/**
 * A scope that is also cancelled by a foreign signal, as it is by its own `cancel()`: so at its end it catches that, and `run` resolves to `undefined`. For where a
 * signal is one reason of several to stop, and what comes after goes on.
 *
 * It listens to the signal while it is entered, and no listener is left. It works in the scope around it, wherever that comes from; a signal that
 * is passed as the last argument, `{ signal }`, cancels from outside instead, and rejects with `Cancelled`.
 *
 * @throws TypeError if `signal` is no AbortSignal
 * @example
 * const scope = scopeFromSignal(request.signal, { timeout: 5_000 });
 * const answer = await scope.run(() => compute(request));
 * if (scope.cancelledCaught) log("the client has gone, or it took too long");
 */
export function scopeFromSignal(signal: AbortSignal, options?: CancelScopeOptions): CancelScope {
  requireSignal(signal, "scopeFromSignal()");
  const scope = new CancelScope(options);
  scope._rarely.link = linkOf(signal);
  return scope;
}
