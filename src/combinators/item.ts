import { DEBUG, ENDED, ENTERED, INHERITED, LED } from "../kernel/flags.js";
import type { Nursery } from "../kernel/nursery.js";
import { link, unlink } from "../kernel/siblings.js";
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
 * As `_enter`, for the hot path: the nursery is neither cancelled nor being left, and the last place in its list is for an item. With
 * `_enter` and `_end`, which ask for all that may be true of a scope, `map` costs a tenth more.
 */
export function enterItem(item: Task, nursery: Nursery): void {
  if ((nursery._flags & DEBUG) !== 0) {
    item._enter(nursery);
    return;
  }
  item._tree = nursery._tree;
  item._flags |= ENTERED | (nursery._flags & INHERITED);
  link(item, nursery);
}

/** As `_end`, of one that is plain. */
export function endItem(item: Task, nursery: Nursery): void {
  item._flags |= ENDED;
  unlink(item, nursery);
}

/** Whether it ends as it began: nothing hangs on it, nor ever hung on it that would have to be told. */
export function isPlain(item: Task): boolean {
  return item._rare === undefined && item._firstChild === undefined && item._firstWaiter === undefined;
}
