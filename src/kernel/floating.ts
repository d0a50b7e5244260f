import { cancellation } from "./cancelled.js";
import { cancelWaiters, type Late, tell } from "./deliver.js";
import { ScopeEndedError } from "./errors.js";
import { CALLED, DRAINING, FLOATING, FOREIGN, SHUT, TASK } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

const ONLY_BACKGROUND = "nothing else is left in its nursery";

/** R17: cancels the operations and the scopes in `scope` that nobody awaited; and background tasks, which are the only ones left in it. */
export function endFloating(scope: ScopeNode): void {
  scope._flags |= DRAINING;
  const cause = new ScopeEndedError(`the scope ${scope._path} was left while something went on in it that nobody awaited`, scope._path);
  if (scope._firstWaiter !== undefined) {
    const reason = cancellation("shutdown", scope._path, cause, scope._tree);
    const late: Late[] = [];
    cancelWaiters(scope, reason, late);
    tell(late, reason);
  }
  for (const child of childrenOf(scope)) {
    if ((child._flags & TASK) !== 0) child._cancelWith(cancellation("shutdown", child._path, ONLY_BACKGROUND, scope._tree));
    else shutDown(child, cause);
  }
}

/** Ends a scope whose surroundings are left, also behind its shield: what that hides it from is gone. */
export function shutDown(scope: ScopeNode, cause: unknown): void {
  scope._flags |= (scope._flags & CALLED) === 0 ? FLOATING | SHUT : FLOATING;
  scope._cancelWith(cancellation("shutdown", scope._path, cause, scope._tree));
  // What was begun under a signal floats as well.
  if ((scope._flags & FOREIGN) !== 0) for (const child of childrenOf(scope)) shutDown(child, cause);
  else scope._abandon();
}

/** Whether `scope` is `outer`, or somewhere in it. */
export function isInside(scope: ScopeNode, outer: ScopeNode): boolean {
  let at: ScopeNode | undefined = scope;
  while (at !== undefined && at !== outer) at = at._parent;
  return at === outer;
}

/** The scopes right inside, as they are now: what is done with them may change the list. */
export function childrenOf(scope: ScopeNode): ScopeNode[] {
  return listed(scope._firstChild);
}

/** The operations parked right inside, as they are now. */
export function waitersOf(scope: ScopeNode): Waiter<unknown>[] {
  return listed(scope._firstWaiter);
}

function listed<T extends { _next: T | undefined }>(first: T | undefined): T[] {
  const all: T[] = [];
  for (let at = first; at !== undefined; at = at._next === first ? undefined : at._next) all.push(at);
  return all;
}
