import { callBody } from "./call-body.js";
import { Cancelled } from "./cancelled.js";
import { classify } from "./classify.js";
import { TimeoutError } from "./errors.js";
import { leave, needsLeaving } from "./leave.js";
import { release, scopeOf } from "./lookup.js";
import { Outcome } from "./outcome.js";
import { quiet } from "./quiet.js";
import type { CancelScope } from "./scope.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

/** What is to be run in a scope: the function that was called, for messages; and what a `TimeoutError` says, if the scope's deadline is to be an error. */
export interface Purpose {
  readonly caller: string;
  readonly complaint?: string | undefined;
}

/** Enters `scope`, runs `body` in it, and leaves it: see `CancelScope.run`. Quiet if it rejects with a cancellation. */
export function runScope<S extends CancelScope, T>(
  scope: S,
  body: (scope: S) => Awaitable<T>,
  where: Cancellable | undefined,
  purpose: Purpose,
): Promise<T | undefined> {
  const promise = drive(scope, body, where, purpose);
  scope._rarely.promise = promise;
  return promise;
}

async function drive<S extends CancelScope, T>(
  scope: S,
  body: (scope: S) => Awaitable<T>,
  where: Cancellable | undefined,
  { caller, complaint }: Purpose,
): Promise<T | undefined> {
  requireFunction(body, caller);
  const parent = scopeOf(where);
  try {
    scope._enter(parent);
    let outcome: Outcome | undefined;
    let value: T | undefined;
    try {
      value = await callBody(scope, body);
    } catch (error) {
      outcome = new Outcome();
      outcome.settle(classify(error, scope));
    }
    if (needsLeaving(scope)) {
      outcome ??= new Outcome();
      await leave(scope, outcome);
    }
    if (outcome === undefined) {
      scope._end();
      return value;
    }
    if (!end(scope, outcome)) return value;
    if (complaint === undefined) return undefined;
    throw new TimeoutError(
      `timed out in ${scope._path}: ${scope._reason?.kind === "deadline" ? complaint : "its own cancel() was called"}`,
      scope._path,
    );
  } finally {
    release(parent);
  }
}

/** Ends a scope, and throws what it ends with. Returns whether it caught its own cancellation. The verdict comes first, while it has a place in the tree. */
export function end(scope: CancelScope, outcome: Outcome, isNursery = false): boolean {
  try {
    return outcome.close(scope, isNursery);
  } catch (error) {
    if (error instanceof Cancelled) quiet(scope._rare?.promise);
    throw error;
  } finally {
    scope._end();
  }
}
