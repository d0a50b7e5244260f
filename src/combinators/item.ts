import { DEBUG, ENDED, ENTERED, INHERITED, LED } from "../kernel/flags.js";
import type { Nursery } from "../kernel/nursery.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { type Named, Task } from "../kernel/task.js";

// The task of one item is like any other, except that it is driven by its lane: what makes tasks costly are the closures and promises of their drivers, and
// those of a lane serve all its items.

/** The task of the item that is the `index`th of all, from 0. */
export function newItem(label: Named, index: number): Task {
  const item = new Task(label, index + 1, true);
  item._flags |= LED;
  item._state = "running";
  return item;
}

/**
 * As `_enter`, for the hot path: the nursery is neither cancelled nor being left, and the last place in its list is for an item. The engine compiles this
 * for items alone, where `_enter` and `_end` see scopes of every kind.
 */
export function enterItem(item: Task, nursery: Nursery): void {
  if ((nursery._flags & DEBUG) !== 0) {
    item._enter(nursery);
    return;
  }
  item._tree = nursery._tree;
  item._parent = nursery;
  item._flags |= ENTERED | (nursery._flags & INHERITED);
  const first = nursery._firstChild;
  if (first === undefined) {
    item._next = item;
    item._previous = item;
    nursery._firstChild = item;
  } else {
    const last = first._previous as ScopeNode;
    item._next = first;
    item._previous = last;
    last._next = item;
    first._previous = item;
  }
}

/** As `_end`, of one that is plain. */
export function endItem(item: Task, nursery: Nursery): void {
  item._flags |= ENDED;
  const next = item._next as ScopeNode;
  if (next === item) nursery._firstChild = undefined;
  else {
    const previous = item._previous as ScopeNode;
    previous._next = next;
    next._previous = previous;
    if (nursery._firstChild === item) nursery._firstChild = next;
  }
  item._next = undefined;
  item._previous = undefined;
}

/** Whether it ends as it began: nothing hangs on it, nor ever hung on it that would have to be told. */
export function isPlain(item: Task): boolean {
  return item._rare === undefined && item._firstChild === undefined && item._firstWaiter === undefined;
}
