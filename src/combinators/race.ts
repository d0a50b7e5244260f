import { UsageError } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";
import { FirstOf } from "./first-of.js";
import { errorOf } from "./group.js";
import { functionList } from "./named-functions.js";
import { isSelfCancelled } from "./self-cancelled.js";
import type { ResultOf, ResultsOf, TaskFunction } from "./task-function.js";

/**
 * Runs functions side by side until the first of them has ended, and settles as that one did, after the others, which are cancelled then, have ended too.
 *
 * Each runs in a task of its own, and receives its scope. A value of a loser that can be disposed is disposed. A loser that fails, while it cleans up for
 * example, makes the race fail, also if the winner has a value: no error is lost. Where failures do not matter as long as one of them succeeds,
 * use `any`. Cancelled from outside before that, it waits until all have ended, and throws `Cancelled`, or what they threw.
 *
 * Of several that are done in the same turn, the first to be done wins; of those that return at once, the first in order.
 *
 * Pitfall: the race ends when the last loser has. One that does not react to its cancellation holds it up.
 *
 * Source: Promise.race, with an owner. `Promise.race([])` waits for ever; here that is an error.
 *
 * @throws UsageError if there are none, or if one of them is a promise: what it stands for is running already, and cannot be owned
 * @throws TaskCancelledError if the first to end was cancelled by its own scope
 * @example
 * const answer = await race([(scope) => ask(primary, scope), (scope) => ask(replica, scope)]);
 */
export function race<F extends readonly TaskFunction[] | readonly []>(functions: F, scope?: Cancellable): Promise<ResultsOf<F>[number]>;
export function race<F extends TaskFunction>(functions: Iterable<F>, scope?: Cancellable): Promise<ResultOf<F>>;
export function race(functions: Iterable<TaskFunction>, scope?: Cancellable): Promise<unknown> {
  return operate(scope, raceIn, functions);
}

function raceIn(scope: CancelScope, given: Iterable<TaskFunction>): Promise<unknown> {
  const functions = functionList(given, "race()");
  if (functions.length === 0) throw new UsageError("race() of no functions would wait for ever: give it at least one");
  return new Race("race").runAll(scope, functions);
}

class Race extends FirstOf<unknown> {
  protected override memberEnded(member: Task): void {
    if (this.winner === undefined && isSelfCancelled(member)) this.nursery._failed(errorOf(member));
    super.memberEnded(member);
  }

  override result(): unknown {
    return this.winner?._result;
  }
}
