import { LedNursery } from "./led-nursery.js";
import type { Task } from "./task.js";

/** What the library does in a nursery of its own: the items of a `map`, the sources of a `merge`. It hears what happens there. */
export abstract class Leader {
  readonly nursery: LedNursery;
  /** The function that was called: for names and reports. */
  readonly caller: string;

  constructor(caller: string) {
    this.caller = caller;
    this.nursery = new LedNursery(this);
  }

  /** A task has ended, and is still in its place in the tree. */
  taskEnded(_task: Task): void {}

  /** A task that is driven from here has ended, and has left the tree. */
  ledTaskLeft(_task: Task): void {}

  /** Something in it has left the tree, while it is being left. */
  childLeft(): void {}

  /** Whether a failure is the nursery's. */
  get countsFailures(): boolean {
    return true;
  }

  /** Whether a single failure comes in a group, where groups are asked for. */
  get mayGroup(): boolean {
    return true;
  }

  /** Its cancel has been called. */
  cancelCalled(): void {}

  /** Whether there are results that nobody will get, and that have not been disposed. */
  get hasLost(): boolean {
    return false;
  }

  /** Has them disposed. */
  disposeLost(): void {}

  /** Nothing is left in the nursery, and it still has its place in the tree: so the scope around it has not ended. */
  nurseryEnds(): void {}
}
