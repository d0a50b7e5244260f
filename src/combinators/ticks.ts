import { describe } from "../kernel/describe.js";
import type { Nursery } from "../kernel/nursery.js";
import type { CancelScope } from "../kernel/scope.js";
import { sleepUntil } from "../kernel/time.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { requireDuration, requireFunction } from "../kernel/validate.js";
import { type Came, callInScope } from "./call-in-scope.js";
import { inNursery } from "./in-nursery.js";

export interface TickOptions extends Cancellable {
  /**
   * What has always the same length. `"rate"`: from one beginning to the next. `"delay"`: from an end to the next beginning.
   */
  readonly fixed?: "rate" | "delay" | undefined;
  /** Milliseconds before the first call. Default 0: it is made at once. */
  readonly initialDelay?: number | undefined;
}

/** What is called at each tick: with a scope of its own, and the number of the tick, from 0. */
export type TickFunction<T> = (scope: CancelScope, tick: number) => Awaitable<T>;

export interface Ticks<T> {
  readonly caller: string;
  /** In ms. */
  readonly period: number;
  readonly fn: TickFunction<T>;
  readonly fixed: "rate" | "delay";
  readonly initialDelay: number;
  /** Whether that was the last tick. */
  readonly isOver: (came: Came<T>) => came is { readonly value: T };
}

/** Checks what was given. */
export function ticksOf<T>(ticks: Ticks<T>): Ticks<T> {
  const { caller, period, fn, fixed, initialDelay } = ticks;
  requireDuration(period, `the period of ${caller}()`);
  requireDuration(initialDelay, `the initialDelay of ${caller}()`);
  requireFunction(fn, `${caller}()`);
  if (fixed !== "rate" && fixed !== "delay") throw new TypeError(`\`fixed\` of ${caller}() is "rate" or "delay", not ${describe(fixed)}`);
  return ticks;
}

/** Calls the function at every tick, until that says that it was the last one. */
export function tick<T>(ticks: Ticks<T>, where: Cancellable | undefined): Promise<T> {
  return inNursery(ticks.caller, (nursery) => tickIn(nursery, ticks), where);
}

async function tickIn<T>(nursery: Nursery, { fn, period, fixed, initialDelay, isOver }: Ticks<T>): Promise<T> {
  const runtime = nursery._runtime;
  const start = runtime.now() + initialDelay;
  let at = start;
  for (let number = 0; ; ) {
    await sleepUntil(at, nursery);
    const came = await callInScope(`tick#${number}`, (scope) => fn(scope, number), nursery);
    if (isOver(came)) return came.value;
    const now = runtime.now();
    if (fixed === "delay" || period === 0) {
      number++;
      at = now + period;
    } else {
      // From the start each time, so that nothing adds up. Ticks that have passed meanwhile are one.
      number = Math.max(number + 1, passed(now, start, period));
      at = start + number * period;
    }
  }
}

/** The number of the latest tick that is not after `now`; by a rounding it may be the one after that. */
function passed(now: number, start: number, period: number): number {
  const number = Math.min(Math.floor((now - start) / period), Number.MAX_SAFE_INTEGER);
  // If the division is off by a rounding the other way, a tick would come twice.
  return start + (number + 1) * period <= now ? number + 1 : number;
}
