import type { Cancellable } from "../kernel/types.js";
import type { Came } from "./call-in-scope.js";
import { optionsOf, whereOf } from "./options.js";
import { type TickFunction, type TickOptions, type Ticks, tick, ticksOf } from "./ticks.js";

/**
 * Calls `fn` every `period` milliseconds, the first time at once, until it is cancelled or `fn` fails.
 *
 * Calls never overlap: the next one waits for the end of the last, and of what that left behind. With `fixed: "rate"`, the default, calls begin at the start plus
 * a multiple of the period, however long each takes, so nothing drifts; if one takes longer than the period, the next begins as soon as it has ended, and
 * the ticks that were missed are one. With `fixed: "delay"` the period is counted from the end of one call to the beginning of the next.
 *
 * `fn` receives a scope for each call, and the number of the tick, from 0; where ticks were missed there is a gap. A call that is cancelled by its own scope
 * is just over. A failure is thrown as it is. Cancelled, it waits for the end of the call under way, and throws `Cancelled`.
 *
 * Pitfall: a call that hangs is the last one. Give it a time, as in the second example.
 *
 * Source: Java's ScheduledExecutorService; the ticker of Go for ticks that are missed.
 *
 * @param period in ms; 0 calls again as soon as others have had their turn
 * @throws RangeError, TypeError for a wrong period or option; UsageError if `fn` is no function
 * @example
 * nursery.startSoon((task) => every(60_000, (scope) => refresh(cache, scope), undefined, task), { background: true });
 * @example
 * await every(1_000, (scope) => moveOnAfter(500, () => ping(scope))); // one that hangs is given up
 */
export function every(period: number, fn: TickFunction<unknown>, options?: TickOptions, scope?: Cancellable): Promise<never> {
  let ticks: Ticks<never>;
  try {
    const { fixed = "rate", initialDelay = 0 } = optionsOf(options, "every()");
    ticks = ticksOf({ caller: "every", period, fn: fn as TickFunction<never>, fixed, initialDelay, isOver: never });
  } catch (error) {
    return Promise.reject(error);
  }
  return tick(ticks, whereOf(scope, options));
}

function never(_came: Came<never>): _came is { readonly value: never } {
  return false;
}
