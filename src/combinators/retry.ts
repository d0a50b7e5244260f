import { ErrorGroup } from "../kernel/error-group.js";
import { TaskCancelledError } from "../kernel/errors.js";
import type { Nursery } from "../kernel/nursery.js";
import type { CancelScope } from "../kernel/scope.js";
import { sleep } from "../kernel/time.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { requireAnswer, requireFunction } from "../kernel/validate.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { type Came, callInScope } from "./call-in-scope.js";
import { inNursery } from "./in-nursery.js";
import { optionsOf, requireBound, whereOf } from "./options.js";

export interface RetryOptions extends BackoffOptions, Cancellable {
  /** How many attempts there are at most, the first one included. Default 5; `Infinity` for no end. */
  readonly attempts?: number | undefined;
  /** Whether it is worth another attempt. Asked for every failure but the last, and never for a cancellation. Default: always. */
  readonly retryable?: ((error: unknown, attempt: number) => boolean) | undefined;
}

/**
 * Calls `fn` until it succeeds, with a growing delay in between, and resolves to its value. If it fails for good, it rejects with the error of the last attempt as
 * it is.
 *
 * `fn` receives a scope for each attempt, and the number of that, from 1. What an attempt leaves behind has ended before the next one begins.
 *
 * It gives up when `attempts` are made, when `retryable` says so, and at once when the next attempt could not begin before the deadline that holds where it is
 * called: whoever gave the deadline gets the error, and the time that is left. A cancellation is never retried. An attempt that is too slow is
 * a failure if you give it a time of its own, as in the second example.
 *
 * Cancelled from outside, it waits for the end of the attempt under way; an attempt that brings a value all the same has succeeded.
 *
 * Source: abort-controller-x's retry; the jitter is that of Brooker, Exponential Backoff And Jitter.
 *
 * @throws the error of the last attempt
 * @throws TaskCancelledError if an attempt was cancelled by its own scope
 * @throws ErrorGroup of the error and what `retryable`, `delay` or `random` threw about it
 * @throws RangeError, TypeError for wrong options; UsageError if `fn` is no function
 * @example
 * const row = await retry((scope) => query(sql, scope), { attempts: 3, delay: 100, retryable: isTransient });
 * @example
 * await retry(() => failAfter(2_000, (scope) => upload(file, scope)));
 * @example
 * await failAfter(2_000, () => retry((scope) => upload(file, scope))); // not the same: 2 s for all attempts together
 */
export function retry<T>(
  fn: (scope: CancelScope, attempt: number) => Awaitable<T>,
  options?: RetryOptions,
  scope?: Cancellable,
): Promise<Awaited<T>> {
  let plan: Plan<T>;
  try {
    plan = planOf(fn, optionsOf(options, "retry()"));
  } catch (error) {
    return Promise.reject(error);
  }
  return inNursery("retry", (nursery) => attempt(plan, nursery), whereOf(scope, options));
}

interface Plan<T> {
  readonly fn: (scope: CancelScope, attempt: number) => Awaitable<T>;
  readonly attempts: number;
  readonly retryable: ((error: unknown, attempt: number) => boolean) | undefined;
  readonly backoff: Backoff;
}

function planOf<T>(fn: Plan<T>["fn"], options: RetryOptions): Plan<T> {
  const { attempts = 5, retryable } = options;
  return {
    fn: requireFunction(fn, "retry()"),
    attempts: requireBound(attempts, "`attempts` of retry()"),
    retryable: retryable === undefined ? undefined : requireFunction(retryable, "`retryable` of retry()"),
    backoff: new Backoff(options),
  };
}

async function attempt<T>(plan: Plan<T>, nursery: Nursery): Promise<Awaited<T>> {
  for (let number = 1; ; number++) {
    const name = `attempt#${number}`;
    let came: Came<T>;
    try {
      came = await callInScope(name, (scope) => plan.fn(scope, number), nursery);
    } catch (error) {
      const delay = delayAfter(error, number, plan, nursery);
      if (delay === undefined) throw error;
      await sleep(delay, nursery);
      continue;
    }
    if (came === undefined) throw noValue(name, nursery);
    return came.value as Awaited<T>;
  }
}

/** How long to wait for the next attempt; `undefined` if there is to be none. */
function delayAfter<T>(error: unknown, number: number, { attempts, retryable, backoff }: Plan<T>, nursery: Nursery): number | undefined {
  if (nursery._refusal() !== undefined || number >= attempts) return undefined;
  let delay: number;
  try {
    if (retryable !== undefined && !requireAnswer(retryable(error, number), "`retryable` of retry()")) return undefined;
    delay = backoff.after(number, error, nursery._runtime);
  } catch (another) {
    throw another === error ? error : new ErrorGroup([error, another], nursery._path);
  }
  return nursery._runtime.now() + delay < nursery.effectiveDeadline ? delay : undefined;
}

/** Its own scope was cancelled, so it has no value; that is somebody else's cancellation for whoever waits for that. */
function noValue(name: string, nursery: Nursery): TaskCancelledError {
  const path = `${nursery._path} > ${name}`;
  return new TaskCancelledError(`${path} was cancelled by its own scope, so it has no result`, path, undefined);
}
