import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";
import { resultsOf } from "./all.js";
import { errorOf, Group } from "./group.js";
import { namedFunctions } from "./named-functions.js";
import type { ResultOf, ResultsOf, TaskFunction, TaskFunctions } from "./task-function.js";

/** How each of the functions has ended, in its place or by its name. */
export type SettledResultsOf<F extends TaskFunctions> = { -readonly [K in keyof ResultsOf<F>]: PromiseSettledResult<ResultsOf<F>[K]> };

/**
 * Runs functions side by side until all have ended, and resolves to how: `{ status: "fulfilled", value }` or `{ status: "rejected", reason }`, in the order of
 * the functions or by the names that they were given.
 *
 * Each runs in a task of its own, and receives its scope. A failure does not cancel the others: it is a result. One that was cancelled by its own scope is
 * rejected with a `TaskCancelledError`.
 *
 * Cancelled from outside, it waits until all have ended, and throws `Cancelled`: whoever asked for results, failures among them, does not get them,
 * and those that can be disposed are.
 *
 * Source: Promise.allSettled, with an owner.
 *
 * @throws UsageError if one of them is a promise: what it stands for is running already, and cannot be owned
 * @example
 * for (const result of await allSettled(mirrors.map((mirror) => (scope) => ping(mirror, scope)))) report(result.status);
 */
export function allSettled<F extends TaskFunctions>(functions: F, scope?: Cancellable): Promise<SettledResultsOf<F>>;
export function allSettled<F extends TaskFunction>(
  functions: Iterable<F>,
  scope?: Cancellable,
): Promise<PromiseSettledResult<ResultOf<F>>[]>;
export function allSettled(functions: TaskFunctions | Iterable<TaskFunction>, scope?: Cancellable): Promise<unknown> {
  return operate(scope, allSettledIn, functions);
}

function allSettledIn(scope: CancelScope, given: TaskFunctions | Iterable<TaskFunction>): Promise<unknown> {
  const { functions, keys } = namedFunctions(given, "allSettled()");
  if (functions.length === 0) return scope._runtime.pause<unknown>(scope, "allSettled", undefined, keys === undefined ? [] : {});
  return new AllSettled(keys).runAll(scope, functions);
}

class AllSettled extends Group<unknown> {
  readonly #keys: readonly string[] | undefined;

  constructor(keys: readonly string[] | undefined) {
    super("allSettled");
    this.#keys = keys;
  }

  /** A failure of a member is a result. */
  override get countsFailures(): boolean {
    return false;
  }

  protected override keeps(): boolean {
    return true;
  }

  override result(): unknown {
    return resultsOf(this.members, this.#keys, settledResultOf);
  }
}

function settledResultOf(member: Task): PromiseSettledResult<unknown> {
  return member._state === "done" ? { status: "fulfilled", value: member._result } : { status: "rejected", reason: errorOf(member) };
}
