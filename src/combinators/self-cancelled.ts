import { CAUGHT } from "../kernel/flags.js";
import type { Task } from "../kernel/task.js";

/** Whether it was cancelled by its own scope, and by nothing else: somebody else's cancellation, for whoever waits for its value. */
export function isSelfCancelled(task: Task): boolean {
  return task._state === "cancelled" && (task._flags & CAUGHT) !== 0;
}
