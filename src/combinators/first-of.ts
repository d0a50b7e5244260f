import type { Task } from "../kernel/task.js";
import { Group } from "./group.js";

const OVER = "another one was first";

/** A group that is over with the first member that has a value: the others are cancelled then, and what they bring all the same is disposed. */
export abstract class FirstOf<R> extends Group<R> {
  protected winner: Task | undefined = undefined;

  protected override memberEnded(member: Task): void {
    if (this.winner === undefined && member._state === "done") this.winner = member;
  }

  /** Not before the winner has left the tree: its signal stays as it is, because something of what it returns may still hang on it. */
  protected override memberLeft(): void {
    if (this.winner !== undefined) this.cancelRest(OVER);
  }

  protected override keeps(member: Task): boolean {
    // By its value: two functions may have returned the same object.
    return this.winner !== undefined && member._result === this.winner._result;
  }
}
