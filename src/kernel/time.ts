import { ambientScope } from "#context";
import { operate, release, scopeOf } from "./lookup.js";
import { productionRuntime } from "./production-runtime.js";
import { quiet } from "./quiet.js";
import type { Timer } from "./runtime.js";
import type { CancelScope } from "./scope.js";
import type { Cancellable } from "./types.js";
import { requireDuration, requireInstant } from "./validate.js";
import { Waiter } from "./waiter.js";

/** A sleeper is its own timer: one object a sleep. */
class Sleeper extends Waiter<void> implements Timer {
  readonly at: number;
  order: number;
  live: boolean;

  constructor(at: number) {
    super();
    this.at = at;
    this.order = 0;
    this.live = false;
  }

  get op(): string {
    return "sleep";
  }

  get on(): undefined {
    return undefined;
  }

  get isDeadline(): boolean {
    return false;
  }

  fire(): void {
    this.wake();
  }

  override _forget(): void {
    if (this.live) this._scope?._runtime.clearTimer(this);
  }
}

/**
 * The time of the run's clock, in ms: of the run that `scope` is in, else of the ambient one; outside a run that of the production clock.
 * Monotonic; only differences mean anything. It waits for nothing.
 *
 * Source: trio.current_time.
 *
 * @throws TypeError if `scope` is none
 * @example const began = now(); await work(); console.log(`${now() - began} ms`);
 */
export function now(scope?: Cancellable): number {
  if (scope === undefined) return (ambientScope()?._runtime ?? productionRuntime).now();
  const at = scopeOf(scope);
  const time = at._runtime.now();
  release(at);
  return time;
}

/**
 * Waits `ms` milliseconds, never less. A full checkpoint, also for 0; throws `Cancelled` if the scope is cancelled before or meanwhile.
 * Sleepers of the same instant wake in the order in which they began; a deadline of that instant comes first.
 *
 * Source: trio.sleep.
 *
 * @param ms not negative, also above 2^31; `Infinity` is `sleepForever`
 * @throws RangeError for NaN and negative durations
 * @example await sleep(500);
 */
export function sleep(ms: number, scope?: Cancellable): Promise<void> {
  return operate(scope, sleepFor, ms);
}

/**
 * Waits until the instant `at` of `now()`, in ms; one that has passed makes it a `checkpoint`. Otherwise as `sleep`: a full checkpoint, which throws `Cancelled` if the
 * scope is cancelled before or meanwhile; sleepers of the same instant wake in the order in which they began.
 *
 * Source: trio.sleep_until.
 *
 * @throws RangeError for NaN
 * @example for (let at = now() + 100; ; at += 100) { await sleepUntil(at); tick(); }
 */
export function sleepUntil(at: number, scope?: Cancellable): Promise<void> {
  return operate(scope, sleepTo, at);
}

/**
 * Waits until the scope is cancelled, and throws `Cancelled` then.
 *
 * Source: trio.sleep_forever.
 *
 * @example await sleepForever().finally(() => server.close());
 *
 * Pitfall: waiting alone keeps no process alive. When nothing else is open, no timer and no socket, Node ends in the middle of the run.
 */
export function sleepForever(scope?: Cancellable): Promise<never> {
  return operate(scope, sleepTo, Number.POSITIVE_INFINITY) as Promise<never>;
}

/**
 * Lets others run, and throws `Cancelled` if the scope is cancelled, before or after: also if its deadline has passed and no timer has had
 * the chance to report it. A loop of checkpoints does not starve timers and I/O: about every 10 ms one of them takes a turn of the event loop.
 *
 * Source: trio.lowlevel.checkpoint.
 *
 * @example for (const row of millions) { crunch(row); await checkpoint(); }
 */
export function checkpoint(scope?: Cancellable): Promise<void> {
  return operate(scope, checkpointIn, undefined);
}

function sleepFor(scope: CancelScope, ms: number): Promise<void> {
  requireDuration(ms, "the time of sleep()");
  return ms === 0 ? checkpointIn(scope) : park(scope, scope._runtime.now() + ms);
}

function sleepTo(scope: CancelScope, at: number): Promise<void> {
  requireInstant(at, "the time of sleepUntil()");
  return at <= scope._runtime.now() ? checkpointIn(scope) : park(scope, at);
}

function park(scope: CancelScope, at: number): Promise<void> {
  const sleeper = new Sleeper(at);
  if (at !== Number.POSITIVE_INFINITY) scope._runtime.setTimer(sleeper);
  return scope._park(sleeper);
}

function checkpointIn(scope: CancelScope): Promise<void> {
  const promise = scope._runtime.pause(scope, "checkpoint", undefined).then(() => {
    if (scope._reason === undefined) scope._runtime.poll();
    if (scope._reason === undefined) return;
    quiet(promise);
    throw scope._reason;
  });
  return promise;
}
