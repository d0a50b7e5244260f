import { BYSTANDER } from "../kernel/flags.js";
import { type Parked, park } from "../kernel/park.js";
import { quiet } from "../kernel/quiet.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Task } from "../kernel/task.js";

/** Hears when a scope is cancelled. */
export class Watch {
  /** Of its own, so that what waits in it is not taken for what somebody else waits for. */
  readonly task = new Task("watch", 0, true);
  #parked: Parked<void> | undefined = undefined;

  /** `onCancel` is called synchronously, by whoever cancels. */
  constructor(parent: ScopeNode, onCancel: () => void) {
    const { task } = this;
    task._flags |= BYSTANDER;
    task._enter(parent);
    task._state = "running";
    const start = (parked: Parked<void>) => {
      this.#parked = parked;
      return onCancel;
    };
    quiet(park(start, { op: "watch" }, task));
  }

  stop(): void {
    this.#parked?.wake(undefined);
    this.task._state = "done";
    this.task._end();
  }
}
