import { UsageError } from "./errors.js";
import { quiet } from "./quiet.js";
import type { CancelScope } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";
import { type Alternative, type Choice, type Enlisted, enlistIn } from "./selectable.js";
import type { Task } from "./task.js";
import { WaitQueue } from "./wait-queue.js";

/** How far upwards `join` looks for a task that would wait for itself. */
const SEARCHED = 64;

/** `task.join()` in `scope`. */
export function joinIn<T>(scope: CancelScope, task: Task<T>): Promise<T> {
  requireOutside(scope, task);
  if (!hasEnded(task)) return joinersOf(task).wait(scope, undefined) as Promise<T>;
  const promise = scope._runtime.pause(scope, "join", task).then(() => {
    if (task._state !== "done") quiet(promise);
    return task._value();
  });
  return promise;
}

/** `task.join()` as one of the cases of a `select`. */
export class Joining<T> implements Alternative<T> {
  readonly #task: Task<T>;

  constructor(task: Task<T>) {
    this.#task = task;
  }

  isReady(scope: CancelScope): boolean {
    requireOutside(scope, this.#task);
    return hasEnded(this.#task);
  }

  take(): T {
    return this.#task._value();
  }

  enlist(choice: Choice): Enlisted {
    return enlistIn(joinersOf(this.#task), undefined, choice);
  }
}

function hasEnded(task: Task): boolean {
  return task._state !== "pending" && task._state !== "running";
}

function joinersOf(task: Task): WaitQueue<unknown> {
  const rare = task._rarely;
  rare.joiners ??= new WaitQueue<unknown>("join", task);
  return rare.joiners;
}

function requireOutside(scope: CancelScope, task: Task): void {
  let at: ScopeNode | undefined = scope;
  for (let i = 0; i < SEARCHED && at !== undefined; i++, at = at._parent) {
    if (at === task)
      throw new UsageError(`${task._path} joins itself, or is joined from inside, and would wait for ever: join it from outside`);
  }
}
