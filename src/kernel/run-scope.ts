import { ambientScope } from "#context";
import { callBody } from "./call-body.js";
import { isCancelled } from "./cancelled.js";
import { TimeoutError } from "./errors.js";
import { EXPLICIT, FLOATING, TEMPORARY } from "./flags.js";
import { isInside } from "./floating.js";
import { release, scopeOf } from "./lookup.js";
import { quiet } from "./quiet.js";
import type { CancelScope } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

/** What a scope is entered for. */
export interface Purpose {
  /** For messages: the function that was called. */
  readonly caller: string;
  /** If the scope's own cancellation is to be an error, what that says. */
  readonly complaint?: (() => string) | undefined;
  /** Whether `undefined` may tell of any cancellation. All others promise a value, and what is cut off from outside rejects whoever awaits it. */
  readonly mayGiveUp?: boolean | undefined;
}

/** The life of a scope or a nursery: enters it where `where` says, runs `body` in it, and leaves it. Quiet if it rejects with a cancellation. */
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

/** As `runScope`, of a scope that is made here: what is wrong with its options is a rejection. */
export function runNew<S extends CancelScope, T>(
  make: () => S,
  body: (scope: S) => Awaitable<T>,
  where: Cancellable | undefined,
  purpose: Purpose,
): Promise<T | undefined> {
  let scope: S;
  try {
    scope = make();
  } catch (error) {
    return Promise.reject(error);
  }
  return runScope(scope, body, where, purpose);
}

async function drive<S extends CancelScope, T>(
  scope: S,
  body: (scope: S) => Awaitable<T>,
  where: Cancellable | undefined,
  { caller, complaint, mayGiveUp }: Purpose,
): Promise<T | undefined> {
  requireFunction(body, caller);
  const parent = scopeOf(where);
  try {
    scope._enter(parent);
    let value: T | undefined;
    try {
      value = await callBody(scope, body);
    } catch (error) {
      scope._bodyThrew(error);
    }
    // As `leaveAndEnd`, without an async function more for each scope.
    for (let leaving = scope._leave(); leaving !== undefined; leaving = scope._leave()) await leaving;
    if (end(scope, mayGiveUp !== true || isAwaited(scope)) && complaint !== undefined) throw timeout(scope, complaint);
    return scope._resultOf(value) as T | undefined;
  } finally {
    release(parent);
  }
}

/** Between the last look at what is in the scope and its end there is no await: nothing can begin in it unseen. */
export async function leaveAndEnd(scope: CancelScope): Promise<void> {
  for (let leaving = scope._leave(); leaving !== undefined; leaving = scope._leave()) await leaving;
  end(scope, true);
}

/**
 * Whether somebody may await how it ends. Not if it floats, and its caller with it: an async function inside the scope that was left, which would only
 * turn the cancellation into an unhandled rejection. To be asked in the async context of that caller, where the ambient scope tells where it is.
 */
function isAwaited(scope: CancelScope): boolean {
  if ((scope._flags & FLOATING) === 0) return true;
  const caller = ambientScope();
  // Where scopes are passed as arguments nobody knows, and it is taken to be inside.
  if (caller === undefined) return (scope._flags & EXPLICIT) === 0;
  const parent = scope._parent as ScopeNode;
  return !isInside(caller, (parent._flags & TEMPORARY) === 0 ? parent : (parent._parent as ScopeNode));
}

/** Ends a scope, and throws what it ends with. Returns whether it caught its own cancellation. The verdict comes first, while it has a place in the tree. */
function end(scope: CancelScope, isHeard: boolean): boolean {
  const outcome = scope._rare?.outcome;
  try {
    return outcome?.close(scope, isHeard) ?? false;
  } catch (error) {
    if (isCancelled(error)) quiet(scope._rare?.promise);
    throw error;
  } finally {
    scope._end();
  }
}

function timeout(scope: CancelScope, complaint: () => string): TimeoutError {
  const why = scope._reason?.kind === "deadline" ? complaint() : "its own cancel() was called";
  return new TimeoutError(`timed out in ${scope._path}: ${why}`, scope._path);
}
