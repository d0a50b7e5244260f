import type { Cancellable } from "../kernel/types.js";
import type { Came } from "./call-in-scope.js";
import { optionsOf, whereOf } from "./options.js";
import { type TickFunction, type TickOptions, type Ticks, tick, ticksOf } from "./ticks.js";

/** What says that there is nothing yet. */
export type NotYet = undefined | null | false;

/**
 * Calls `fn` every `period` milliseconds, the first time at once, until it returns something, and resolves to that: anything but `undefined`, `null` and `false`.
 *
 * It is as `every`: calls never overlap, each has a scope of its own, and what it leaves behind has ended before the next. Except that the period is counted
 * from the end of a call by default: `fixed: "delay"`. A call that is cancelled by its own scope has found nothing. Cancelled, it waits for the end of the call
 * under way, and throws `Cancelled`. A failure is thrown as it is; wrap `fn` in `retry` where it may fail.
 *
 * Pitfall: it asks for ever. Give it a time, as in the example.
 *
 * Source: `await().until` of Awaitility.
 *
 * @param period in ms; 0 calls again as soon as others have had their turn
 * @throws RangeError, TypeError for a wrong period or option; UsageError if `fn` is no function
 * @example
 * const result = await failAfter(60_000, () => poll(500, async (scope) => (await fetchJob(id, scope)).result));
 */
export function poll<T>(
  period: number,
  fn: TickFunction<T>,
  options?: TickOptions,
  scope?: Cancellable,
): Promise<Exclude<Awaited<T>, NotYet>> {
  let ticks: Ticks<T>;
  try {
    const { fixed = "delay", initialDelay = 0 } = optionsOf(options, "poll()");
    ticks = ticksOf({ caller: "poll", period, fn, fixed, initialDelay, isOver: isFound });
  } catch (error) {
    return Promise.reject(error);
  }
  return tick(ticks, whereOf(scope, options)) as Promise<Exclude<Awaited<T>, NotYet>>;
}

function isFound<T>(came: Came<T>): came is { readonly value: T } {
  return came !== undefined && came.value !== undefined && came.value !== null && came.value !== false;
}
