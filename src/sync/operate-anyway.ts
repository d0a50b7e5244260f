import type { Cancelled } from "../kernel/cancelled.js";
import { isCancelled } from "../kernel/cancelled.js";
import { TEMPORARY } from "../kernel/flags.js";
import { release, scopeOf } from "../kernel/lookup.js";
import { quietly } from "../kernel/quiet.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";

/** One operation that is not refused in a cancelled scope, but told that it is cancelled from the beginning. */
export type Determined<A, T> = (scope: CancelScope, argument: A, cancelled: Cancelled | undefined) => Promise<T>;

/** As `operate`, for an operation that has something to do also when it is cancelled before it begins. */
export function operateAnyway<A, T>(where: Cancellable | undefined, operation: Determined<A, T>, argument: A): Promise<T> {
  try {
    const scope = scopeOf(where);
    if ((scope._flags & TEMPORARY) === 0) return begin(scope, operation, argument);
    return quietly(async () => {
      try {
        return await begin(scope, operation, argument);
      } finally {
        release(scope);
      }
    });
  } catch (error) {
    return Promise.reject(error);
  }
}

function begin<A, T>(scope: CancelScope, operation: Determined<A, T>, argument: A): Promise<T> {
  const refusal = scope._refusal();
  if (refusal !== undefined && !isCancelled(refusal)) throw refusal;
  return operation(scope, argument, refusal);
}
