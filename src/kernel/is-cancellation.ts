import { isCancelled } from "./cancelled.js";
import { classify } from "./classify.js";
import { MissingScopeError } from "./errors.js";
import { release, scopeOf } from "./lookup.js";
import type { CancelScope } from "./scope.js";
import type { Cancellable } from "./types.js";

/**
 * Whether an error that was caught here is the cancellation of the scope, in whatever form it came (see `classify`): then clean up and throw it on.
 * Where there is no scope, whether it is a `Cancelled`.
 *
 * @example
 * try {
 *   await work();
 * } catch (error) {
 *   if (isCancellation(error)) throw error;
 *   log(error);
 * }
 */
export function isCancellation(error: unknown, scope?: Cancellable): boolean {
  let at: CancelScope;
  try {
    at = scopeOf(scope);
  } catch (missing) {
    if (missing instanceof MissingScopeError) return isCancelled(error);
    throw missing;
  }
  try {
    return classify(error, at).isCancellation;
  } finally {
    release(at);
  }
}
