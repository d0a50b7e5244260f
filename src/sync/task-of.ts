import { UsageError } from "../kernel/errors.js";
import { TEMPORARY } from "../kernel/flags.js";
import { release, scopeOf } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";

/** The task that code in `scope` belongs to: the identity of an owner or a borrower. */
export function taskOf(scope: CancelScope, what: string): Task {
  const task = scope._task;
  if (task === undefined)
    throw new UsageError(`${what} belongs to a task, and there is none under a foreign signal alone: use it inside run()`);
  return task as Task;
}

/** As `taskOf`, for the scope that `where` names. Works also in a scope that is cancelled or has ended: giving back is always possible. */
export function callingTask(where: Cancellable | undefined, what: string): Task {
  const scope = scopeOf(where);
  if ((scope._flags & TEMPORARY) === 0) return taskOf(scope, what);
  try {
    return taskOf(scope, what);
  } finally {
    release(scope);
  }
}
