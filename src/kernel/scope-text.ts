import type { Cancelled } from "./cancelled.js";
import { describe } from "./describe.js";
import { ENDED, ENTERED, LEAVING, SHIELD, TASK } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";
import type { Task } from "./task.js";

/** One line for whoever prints a scope, as `Task { root > http > req#17, running }`. It never throws. */
export function scopeText(scope: ScopeNode): string {
  try {
    const state = (scope._flags & TASK) === 0 ? stateOf(scope) : taskStateOf(scope as Task);
    if (scope._rare?.abandoned) state.push(`${scope._rare.abandoned} abandoned`);
    return `${scope.constructor.name} { ${[scope._path, ...state].join(", ")} }`;
  } catch {
    return "a scope that cannot be described";
  }
}

function taskStateOf(task: Task): string[] {
  switch (task._state) {
    case "failed":
      return [`failed: ${describe(task._result)}`];
    case "cancelled":
      return [(task._result as Cancelled).message];
    case "done":
      return ["done"];
    default:
      return [task._state, ...whatHoldsIn(task)];
  }
}

function stateOf(scope: ScopeNode): string[] {
  if ((scope._flags & ENTERED) === 0) return ["not entered", ...whatHoldsIn(scope)];
  if ((scope._flags & ENDED) === 0) return [(scope._flags & LEAVING) === 0 ? "open" : "being left", ...whatHoldsIn(scope)];
  return scope._reason === undefined ? ["ended"] : ["ended", scope._reason.message];
}

/** Its shield; and what it was cancelled by, or else its own deadline. */
function whatHoldsIn(scope: ScopeNode): string[] {
  const held = (scope._flags & SHIELD) === 0 ? [] : ["shielded"];
  if (scope._reason !== undefined) held.push(scope._reason.message);
  else if (scope._rare?.timeout !== undefined) held.push(`timeout ${scope._rare.timeout} ms`);
  else if (scope._rare?.deadline !== undefined) held.push(deadlineText(scope, scope._rare.deadline.at));
  return held;
}

function deadlineText(scope: ScopeNode, at: number): string {
  if (scope._tree === undefined) return `deadline ${at}`;
  const left = Math.ceil(at - scope._runtime.now());
  return left > 0 ? `deadline in ${left} ms` : "deadline passed";
}
