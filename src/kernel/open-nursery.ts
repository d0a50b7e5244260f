import { callBody } from "./call-body.js";
import { release, scopeOf } from "./lookup.js";
import { Nursery, type NurseryOptions } from "./nursery.js";
import { end } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

/**
 * Opens a nursery around `body`, which starts tasks in it. Settles only when the body, all tasks and all cleanups have ended.
 *
 * The first failure, of a task or of the body, cancels everything in the nursery. One failure rejects with that very error; several with an
 * `ErrorGroup` of them in order of occurrence. Resolves to the body's value; to `undefined` if the nursery's own `cancel()` cut the body off
 * (so take values of tasks from their `join()`). A cancellation from outside rejects with `Cancelled`. Entering and leaving are no checkpoints.
 *
 * Source: trio.open_nursery.
 *
 * @throws MissingScopeError if there is neither `options.signal` nor an ambient scope
 * @example
 * await openNursery(async (nursery) => {
 *   for (const url of urls) nursery.startSoon((task) => fetchPage(url, task));
 * });
 */
export function openNursery<T>(body: (nursery: Nursery) => Awaitable<T>, options?: NurseryOptions): Promise<T> {
  let nursery: Nursery;
  try {
    requireFunction(body, "openNursery()");
    nursery = new Nursery(options instanceof CancelScope ? undefined : options);
  } catch (error) {
    return Promise.reject(error);
  }
  return runNursery(nursery, body, options) as Promise<T>;
}

/** Enters a nursery where `where` says, and runs its whole life. Quiet if it rejects with a cancellation. */
export function runNursery<T>(
  nursery: Nursery,
  body: (nursery: Nursery) => Awaitable<T>,
  where: Cancellable | undefined,
): Promise<T | undefined> {
  const promise = drive(nursery, body, where);
  nursery._rarely.promise = promise;
  return promise;
}

async function drive<T>(
  nursery: Nursery,
  body: (nursery: Nursery) => Awaitable<T>,
  where: Cancellable | undefined,
): Promise<T | undefined> {
  const parent = scopeOf(where);
  try {
    nursery._enter(parent);
    let value: T | undefined;
    try {
      value = await callBody(nursery, body);
    } catch (error) {
      nursery._bodyThrew(error);
    }
    await nursery._leave();
    end(nursery, nursery._outcome, true);
    return value;
  } finally {
    release(parent);
  }
}
