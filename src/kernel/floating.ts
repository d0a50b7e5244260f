import { cancellation } from "./cancelled.js";
import { cancelWaiters } from "./deliver.js";
import { ScopeEndedError } from "./errors.js";
import { FLOATING } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

/** R17: cancels the operations and the scopes in `scope` that nobody awaited. */
export function endFloating(scope: ScopeNode): void {
  const cause = new ScopeEndedError(`the scope ${scope._path} was left while something went on in it that nobody awaited`, scope._path);
  if (scope._firstWaiter !== undefined) {
    const reason = cancellation("shutdown", scope._path, cause, scope._tree);
    const late: (ScopeNode | Waiter<unknown>)[] = [];
    cancelWaiters(scope, reason, late);
    for (const waiter of late) (waiter as Waiter<unknown>)._finishCancel(reason);
  }
  for (const child of childrenOf(scope)) {
    child._flags |= FLOATING;
    child._cancelWith(cancellation("shutdown", child._path, cause, scope._tree));
    child._abandon();
  }
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
