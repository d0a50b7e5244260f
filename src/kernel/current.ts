import { UsageError } from "./errors.js";
import { release, scopeOf } from "./lookup.js";
import type { CancelScope } from "./scope.js";
import type { Task } from "./task.js";
import type { Cancellable } from "./types.js";

/**
 * The innermost scope around the running code.
 *
 * An abort listener runs in the context of whoever aborted, and an async generator in that of whoever calls `next()`: there, use a scope that
 * you have captured.
 *
 * @throws MissingScopeError outside a run, and where scopes are passed as arguments
 * @example const response = await axios.get(url, { signal: currentScope().signal });
 */
export function currentScope(): CancelScope {
  return scopeOf(undefined);
}

/**
 * The task that runs: the nearest one at or above `scope`, or above the ambient one. In the body of `run` it is the main task.
 *
 * Source: trio.lowlevel.current_task.
 *
 * @throws MissingScopeError if there is no scope; UsageError under a foreign signal outside a run, where there is no task
 * @example console.log(`${currentTask().name} begins`);
 */
export function currentTask(scope?: Cancellable): Task {
  const at = scopeOf(scope);
  const task = at._task;
  release(at);
  if (task === undefined) throw new UsageError("there is no task here, only a signal: call it inside run()");
  return task as Task;
}

/**
 * The earliest deadline that holds in `scope`, or else in the ambient one, as an instant of `now()` in ms: see `CancelScope.effectiveDeadline`. `Infinity` if there is
 * none. It waits for nothing.
 *
 * Source: trio.current_effective_deadline.
 *
 * @throws MissingScopeError if there is no scope
 * @example if (currentEffectiveDeadline() - now() < 200) return cached;
 */
export function currentEffectiveDeadline(scope?: Cancellable): number {
  const at = scopeOf(scope);
  const deadline = at.effectiveDeadline;
  release(at);
  return deadline;
}
