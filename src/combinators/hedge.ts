import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { requireDuration, requireFunction } from "../kernel/validate.js";
import { optionsOf, requireBound, whereOf } from "./options.js";
import { Staggered } from "./staggered.js";
import type { TaskFunction } from "./task-function.js";

export interface HedgeOptions extends Cancellable {
  /** Milliseconds after which the next attempt begins, though the last one goes on: about as long as 95 of 100 take. */
  readonly delay: number;
  /** How many attempts there are at most. Default 2. */
  readonly attempts?: number | undefined;
}

/**
 * Calls `fn` again when it has not succeeded after `delay` milliseconds, or has failed, and lets both go on: the first success wins, and the others are cancelled
 * and awaited. For calls that are quick but for a few, and that may be made twice.
 *
 * As `staggered` with the same function several times, losers' values that can be disposed, and cancellation, included. It receives the scope of its attempt, and the number of that, from 1.
 *
 * Pitfall: what is called must be idempotent. The loser may have done its work all the same.
 *
 * Source: Dean and Barroso, The Tail at Scale; the hedging policy of gRPC.
 *
 * @throws ErrorGroup if no attempt succeeds: one error for each, in their order
 * @throws RangeError, TypeError for wrong options; UsageError if `fn` is no function
 * @example
 * const row = await hedge((scope) => replica().read(key, scope), { delay: 50 });
 */
export function hedge<T>(
  fn: (scope: Task, attempt: number) => Awaitable<T>,
  options: HedgeOptions,
  scope?: Cancellable,
): Promise<Awaited<T>> {
  return operate(whereOf(scope, options), hedgeIn<T>, { fn, options });
}

interface Request<T> {
  readonly fn: (scope: Task, attempt: number) => Awaitable<T>;
  readonly options: HedgeOptions;
}

function hedgeIn<T>(scope: CancelScope, { fn, options }: Request<T>): Promise<Awaited<T>> {
  requireFunction(fn, "hedge()");
  const { delay, attempts = 2 } = optionsOf(options, "hedge()");
  requireDuration(delay as number, "the delay of hedge()");
  requireBound(attempts, "`attempts` of hedge()");
  return new Staggered<Awaited<T>>("hedge", delay as number).attempt(scope, repeated(fn, attempts));
}

function* repeated<T>(fn: (scope: Task, attempt: number) => Awaitable<T>, attempts: number): Generator<TaskFunction<T>> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    // A function made like this is called as its key says, and tasks are called after their functions.
    const { [fn.name]: named } = { [fn.name]: (scope: Task) => fn(scope, attempt) };
    yield named as TaskFunction<T>;
  }
}
