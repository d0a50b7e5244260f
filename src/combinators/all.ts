import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";
import { errorOf, Group } from "./group.js";
import { namedFunctions } from "./named-functions.js";
import { isSelfCancelled } from "./self-cancelled.js";
import type { ResultOf, ResultsOf, TaskFunction, TaskFunctions } from "./task-function.js";

/**
 * Runs functions side by side, and resolves to their results: in the order of the functions, whichever ends first, or by the names that they were given.
 *
 * Each runs in a task of its own, and receives its scope. The first failure cancels the others. It settles only when all of them have ended. A cancelled
 * `all` has started none, or waits until those it started have ended.
 *
 * One failure rejects with that very error, several with an `ErrorGroup` in order of occurrence. If it rejects, results that can be
 * disposed are: nobody gets them.
 *
 * Pitfall: the scope that a function receives is its own. What is passed no scope where none is ambient, or that of somebody else, is not cancelled with it.
 *
 * Source: Promise.all, with an owner.
 *
 * @throws UsageError if one of them is a promise: what it stands for is running already, and cannot be owned
 * @throws TaskCancelledError if one of them was cancelled by its own scope, so that it has no result
 * @example
 * const [user, posts] = await all([(scope) => fetchUser(id, scope), (scope) => fetchPosts(id, scope)]);
 * const { user, posts } = await all({ user: (scope) => fetchUser(id, scope), posts: (scope) => fetchPosts(id, scope) });
 * @example
 * await all([fetchUser(id), fetchPosts(id)]); // Wrong, and refused: both run already, and go on if one fails.
 */
export function all<F extends TaskFunctions>(functions: F, scope?: Cancellable): Promise<ResultsOf<F>>;
export function all<F extends TaskFunction>(functions: Iterable<F>, scope?: Cancellable): Promise<ResultOf<F>[]>;
export function all(functions: TaskFunctions | Iterable<TaskFunction>, scope?: Cancellable): Promise<unknown> {
  return operate(scope, allIn, functions);
}

function allIn(scope: CancelScope, given: TaskFunctions | Iterable<TaskFunction>): Promise<unknown> {
  const { functions, keys } = namedFunctions(given, "all()");
  if (functions.length === 0) return scope._runtime.pause<unknown>(scope, "all", undefined, keys === undefined ? [] : {});
  return new All(keys).runAll(scope, functions);
}

class All extends Group<unknown> {
  readonly #keys: readonly string[] | undefined;

  constructor(keys: readonly string[] | undefined) {
    super("all");
    this.#keys = keys;
  }

  protected override memberEnded(member: Task): void {
    if (isSelfCancelled(member)) this.nursery._failed(errorOf(member));
  }

  protected override keeps(): boolean {
    // One that has no value was cancelled, by which the others are lost.
    return this.members.every((member) => member._state === "done");
  }

  override result(): unknown {
    return resultsOf(this.members, this.#keys, valueOfMember);
  }
}

function valueOfMember(member: Task): unknown {
  return member._result;
}

/** What became of each member, in the shape in which the functions were given. */
export function resultsOf(members: readonly Task[], keys: readonly string[] | undefined, resultOf: (member: Task) => unknown): unknown {
  if (keys === undefined) return members.map(resultOf);
  return Object.fromEntries(members.map((member, i) => [keys[i], resultOf(member)]));
}
