import { BYSTANDER } from "../kernel/flags.js";
import { type Parked, park } from "../kernel/park.js";
import { quiet } from "../kernel/quiet.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Task } from "../kernel/task.js";

/**
 * Hears when the scope that it is in is cancelled. A task of its own, so that what it waits for is not taken for what somebody else waits for.
 */
export class Watch extends Task {
  #parked: Parked<void> | undefined = undefined;

  /** `onCancel` is called synchronously, by whoever cancels. */
  constructor(parent: ScopeNode, onCancel: () => void) {
    super("watch", 0, true);
    this._flags |= BYSTANDER;
    this._enter(parent);
    this._state = "running";
    const start = (parked: Parked<void>) => {
      this.#parked = parked;
      return onCancel;
    };
    quiet(park(start, { op: "watch" }, this));
  }

  stop(): void {
    this.#parked?.wake(undefined);
    this._state = "done";
    this._end();
  }
}
