import type { Task } from "../kernel/task.js";
import { Group } from "./group.js";

const OVER = "another one was first";

/** A group that is over with the first member whose end `_wins`: the others are cancelled then, and what they bring all the same is disposed. */
export abstract class FirstOf<R> extends Group<R> {
  /** @internal */
  _winner: Task | undefined = undefined;

  override _memberEnded(member: Task): void {
    if (this._winner === undefined && member._state === "done") this._winner = member;
  }

  /** Not before the winner has left the tree: its signal stays as it is, because something of what it returns may still hang on it. */
  override _memberLeft(): void {
    if (this._winner !== undefined) this._cancelRest(OVER);
  }

  override _keeps(member: Task): boolean {
    // By its value: two functions may have returned the same object.
    return this._winner !== undefined && member._result === this._winner._result;
  }
}
