import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { FirstSuccess, noneSucceeded } from "./first-success.js";
import { functionList } from "./named-functions.js";
import type { ResultOf, ResultsOf, TaskFunction } from "./task-function.js";

/**
 * Runs functions side by side until the first of them has succeeded, and resolves to its value, after the others, which are cancelled then, have ended too.
 *
 * Each runs in a task of its own, and receives its scope. A failure cancels nothing and does not count as long as one succeeds, whenever it comes; nor does
 * it when the whole is cancelled from outside. If none succeeds, it rejects with an `ErrorGroup`, which is an `AggregateError`: one error for each
 * function, in the order of the functions. One that was cancelled by its own scope counts as failed, with a `TaskCancelledError`.
 *
 * A value of a loser that can be disposed is disposed. If that fails, the error is thrown. Of several that are done in the same turn, the first to be done wins.
 *
 * Pitfall: it ends when the last loser has. One that does not react to its cancellation holds it up.
 *
 * Source: Promise.any, with an owner.
 *
 * @throws UsageError if one of them is a promise: what it stands for is running already, and cannot be owned
 * @throws ErrorGroup if none succeeds; without errors, if there are none
 * @example
 * const page = await any(mirrors.map((mirror) => (scope) => download(mirror, scope)));
 */
export function any<F extends readonly TaskFunction[] | readonly []>(functions: F, scope?: Cancellable): Promise<ResultsOf<F>[number]>;
export function any<F extends TaskFunction>(functions: Iterable<F>, scope?: Cancellable): Promise<ResultOf<F>>;
export function any(functions: Iterable<TaskFunction>, scope?: Cancellable): Promise<unknown> {
  return operate(scope, anyIn, functions);
}

function anyIn(scope: CancelScope, given: Iterable<TaskFunction>): Promise<unknown> {
  const functions = functionList(given, "any()");
  if (functions.length > 0) return new FirstSuccess("any").runAll(scope, functions);
  return scope._runtime.pause(scope, "any", undefined).then(() => Promise.reject(noneSucceeded([], scope._path)));
}
