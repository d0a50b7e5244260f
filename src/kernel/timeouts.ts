import { runNew } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { Awaitable, Cancellable } from "./types.js";

/**
 * Runs `body` for at most `ms` milliseconds, then cancels it and moves on: resolves to the body's value, or to `undefined` when the time was over.
 * The time counts from entry and covers everything in the body. It ends after the body has, so a body that does not react holds it up.
 *
 * Pitfall: a body that returns nothing resolves to `undefined` either way. Return something, or ask `cancelledCaught` of a `CancelScope` of your own.
 *
 * Source: trio.move_on_after.
 *
 * @throws RangeError for NaN and negative durations
 * @example const page = (await moveOnAfter(2_000, (scope) => fetchPage(url, scope))) ?? cached;
 */
export function moveOnAfter<T>(ms: number, body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T | undefined> {
  return runNew(() => new CancelScope({ timeout: ms }), body, scope, { caller: "moveOnAfter()", mayGiveUp: true });
}

/**
 * As `moveOnAfter`, until the instant `at` of `now()`, in ms: cancels the body then, and resolves to `undefined` when it has ended. One that has passed cancels at once.
 *
 * Source: trio.move_on_at.
 *
 * @throws RangeError for NaN
 * @example await moveOnAt(deadline, (scope) => drain(queue, scope));
 */
export function moveOnAt<T>(at: number, body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T | undefined> {
  return runNew(() => new CancelScope({ deadline: at }), body, scope, { caller: "moveOnAt()", mayGiveUp: true });
}

/**
 * Runs `body` for at most `ms` milliseconds, then cancels it and throws `TimeoutError`. Cancellations from outside, and failures of the body,
 * pass as they are. A body that comes to its end all the same, late, has its value returned.
 *
 * Pitfall: calling `cancel()` on the scope that the body is passed is a timeout too, as in Trio, because there is no value to return;
 * the message tells the two apart. To give up without an error, use `moveOnAfter`.
 *
 * Source: trio.fail_after.
 *
 * @throws TimeoutError at this boundary only, when the time was over
 * @throws RangeError for NaN and negative durations
 * @example await failAfter(2_000, (scope) => save(response, scope));
 */
export function failAfter<T>(ms: number, body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T> {
  return runNew(() => new CancelScope({ timeout: ms }), body, scope, {
    caller: "failAfter()",
    complaint: () => `it took longer than ${ms} ms`,
  }) as Promise<T>;
}

/**
 * As `failAfter`, until the instant `at` of `now()`, in ms: cancels the body then, and throws when it has ended. One that has passed cancels at once.
 *
 * Source: trio.fail_at.
 *
 * @throws TimeoutError at this boundary only, when the time was over; RangeError for NaN
 * @example await failAt(deadline, (scope) => save(response, scope));
 */
export function failAt<T>(at: number, body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T> {
  return runNew(() => new CancelScope({ deadline: at }), body, scope, {
    caller: "failAt()",
    complaint: () => "its deadline passed",
  }) as Promise<T>;
}

/**
 * Runs `body` hidden from cancellations outside: for what has to be done even then, such as giving back what was borrowed.
 * The scopes outside are still at hand, so inside a shield `await pool.acquire(outer)` can be cancelled and the rest cannot.
 *
 * Without `timeout` a body that hangs holds up everything around it.
 *
 * Source: trio.CancelScope(shield=True).
 *
 * @throws TimeoutError when the `timeout` was over
 * @example try { await work(); } finally { await shield(() => connection.close(), { timeout: 1_000 }); }
 */
export function shield<T>(
  body: (scope: CancelScope) => Awaitable<T>,
  options?: Cancellable & { readonly timeout?: number | undefined },
): Promise<T> {
  const timeout = options instanceof CancelScope ? undefined : options?.timeout;
  const purpose = { caller: "shield()", complaint: () => `the ${timeout} ms of the shield were over` };
  return runNew(() => new CancelScope({ shield: true, timeout }), body, options, purpose) as Promise<T>;
}
