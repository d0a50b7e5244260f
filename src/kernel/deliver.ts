import type { Cancelled } from "./cancelled.js";
import { SHIELD } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

/** What the second half of a cancellation has to call: the abort listeners of a scope, or the `onCancel` of a waiter. */
export type Late = ScopeNode | Waiter<unknown>;

/** The second halves of cancellations that belong together; `undefined` while there is no need to hold any. */
let held: Telling[] | undefined;

interface Telling {
  readonly late: readonly Late[];
  readonly reason: Cancelled;
}

/**
 * Makes a cancellation visible in `top` and in all that is inside and not shielded. Linear in what it reaches, without recursion.
 *
 * It has two halves. The first runs no code of the user: it marks the scopes and takes every waiter out of whatever could still wake it,
 * so that afterwards nothing can be handed to something cancelled. The second runs abort listeners and the like, in the order of the tree;
 * they may spawn, cancel, move deadlines or throw, and find a tree that is consistent.
 */
export function deliver(top: ScopeNode, reason: Cancelled): void {
  const late: Late[] = [];
  const tops = [top];
  for (let next = tops.pop(); next !== undefined; next = tops.pop()) mark(next, reason, late, tops);
  if (held === undefined) tell(late, reason);
  else held.push({ late, reason });
}

/**
 * Makes the cancellations that happen in `work` one: no listener runs before all of them are marked. `work` runs no code of the user, but for the
 * getters of a reason that is described; what is delivered together in those belongs to the same batch.
 */
export function deliverTogether(work: () => void): void {
  if (held !== undefined) {
    work();
    return;
  }
  const batch: Telling[] = [];
  held = batch;
  try {
    work();
  } finally {
    held = undefined;
    for (const { late, reason } of batch) tell(late, reason);
  }
}

export function tell(late: readonly Late[], reason: Cancelled): void {
  for (const listener of late) {
    if ("_finishCancel" in listener) listener._finishCancel(reason);
    else abort(listener, reason);
  }
}

function mark(top: ScopeNode, reason: Cancelled, late: Late[], tops: ScopeNode[]): void {
  let scope = top;
  for (;;) {
    // A scope that has a reason already has passed it on to what is inside.
    if (scope._reason === undefined && (scope === top || (scope._flags & SHIELD) === 0)) {
      scope._reason = reason;
      if (scope._firstWaiter !== undefined) cancelWaiters(scope, reason, late);
      if (scope._rare !== undefined) {
        if (scope._rare.controller !== undefined) late.push(scope);
        if (scope._rare.starting !== undefined) tops.push(...scope._rare.starting);
      }
      if (scope._firstChild !== undefined) {
        scope = scope._firstChild;
        continue;
      }
    }
    while (scope !== top && scope._next === scope._parent?._firstChild) scope = scope._parent as ScopeNode;
    if (scope === top) return;
    scope = scope._next as ScopeNode;
  }
}

/** Ends every wait of one scope that can be ended. */
export function cancelWaiters(scope: ScopeNode, reason: unknown, late: Late[]): void {
  const last = scope._firstWaiter?._previous;
  let waiter = scope._firstWaiter;
  while (waiter !== undefined) {
    const next: Waiter<unknown> | undefined = waiter === last ? undefined : waiter._next;
    if (waiter.isCancellable && waiter._cancel(reason)) late.push(waiter);
    waiter = next;
  }
}

function abort(scope: ScopeNode, reason: Cancelled): void {
  try {
    scope._rare?.controller?.abort(reason);
  } catch (error) {
    // Most platforms report what a listener throws; where `abort()` itself throws it, we do as they do.
    report(error);
  }
}

/** Hands an error to the platform's handler for uncaught ones, without disturbing the caller. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
