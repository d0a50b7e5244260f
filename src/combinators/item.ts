import { DEBUG, ENDED, ENTERED, INHERITED } from "../kernel/flags.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Task } from "../kernel/task.js";
import type { Mapping } from "./mapping.js";

/**
 * The task of one item. It is a task like any other, except that it is driven by its lane: what makes tasks costly are the closures and promises of their
 * drivers, and those of a lane serve all its items.
 */
export class Item extends Task {
  constructor(index: number) {
    super("", index + 1, false);
    this._state = "running";
  }

  override get name(): string {
    return `${(this._parent as Mapping<unknown>)._label}#${this._number}`;
  }

  /**
   * As `_enter`, for the hot path: the mapping is neither cancelled nor being left, and the last place in its list is for an item. The engine compiles this
   * for items alone, where `_enter` and `_end` see scopes of every kind.
   */
  enterMapping(mapping: Mapping<unknown>): void {
    if ((mapping._flags & DEBUG) !== 0) {
      this._enter(mapping);
      return;
    }
    this._tree = mapping._tree;
    this._parent = mapping;
    this._flags |= ENTERED | (mapping._flags & INHERITED);
    const first = mapping._firstChild;
    if (first === undefined) {
      this._next = this;
      this._previous = this;
      mapping._firstChild = this;
    } else {
      const last = first._previous as ScopeNode;
      this._next = first;
      this._previous = last;
      last._next = this;
      first._previous = this;
    }
  }

  /** As `_end`, of one that has left nothing behind. */
  leaveMapping(mapping: Mapping<unknown>): void {
    this._flags |= ENDED;
    const next = this._next as ScopeNode;
    if (next === this) mapping._firstChild = undefined;
    else {
      const previous = this._previous as ScopeNode;
      previous._next = next;
      next._previous = previous;
      if (mapping._firstChild === this) mapping._firstChild = next;
    }
    this._next = undefined;
    this._previous = undefined;
  }

  /** Whether it ends as it began: nothing hangs on it, nor ever hung on it that would have to be told. */
  get isPlain(): boolean {
    return this._rare === undefined && this._firstChild === undefined && this._firstWaiter === undefined;
  }

  /** @internal */
  override _finish(): void {
    super._finish();
    (this._parent as Mapping<unknown>)._itemEnded(this);
  }
}
