import { Nursery, type NurseryOptions } from "./nursery.js";
import type { PolicyNursery, PolicyOptions } from "./policy.js";
import { runNew } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { Awaitable } from "./types.js";

/**
 * Opens a nursery around `body`, which starts tasks in it. Settles only when the body, all tasks and all cleanups have ended.
 *
 * The first failure, of a task or of the body, cancels everything in the nursery. One failure rejects with that very error; several with an
 * `ErrorGroup` of them in order of occurrence. Resolves to the body's value; to `undefined` if the nursery's own `cancel()` cut the body off
 * (so take values of tasks from their `join()`). A cancellation from outside rejects with `Cancelled`. Entering and leaving are no checkpoints.
 *
 * `options.policy` says when its tasks have it cancelled: `failFast()`, which is the default, `collect()`, `firstSuccess()`, `until(predicate)`, or one of your
 * own. With a `JoinPolicy` it resolves to the result of that, instead of the body's value.
 *
 * Source: trio.open_nursery.
 *
 * @throws MissingScopeError if there is neither `options.signal` nor an ambient scope
 * @example
 * await openNursery(async (nursery) => {
 *   for (const url of urls) nursery.startSoon((task) => fetchPage(url, task));
 * });
 */
export function openNursery<T, R>(body: (nursery: PolicyNursery<T>) => unknown, options: PolicyOptions<T, R>): Promise<R>;
export function openNursery<T>(body: (nursery: Nursery) => Awaitable<T>, options?: NurseryOptions): Promise<T>;
export function openNursery(body: (nursery: never) => unknown, options?: NurseryOptions | PolicyOptions<never, unknown>): Promise<unknown> {
  const make = () => new Nursery(options instanceof CancelScope ? undefined : options);
  return runNew(make, body as (nursery: Nursery) => unknown, options, { caller: "openNursery()" });
}
