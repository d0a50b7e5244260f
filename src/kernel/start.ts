import { deliver } from "./deliver.js";
import { dispose, isDisposable } from "./dispose.js";
import { TaskCancelledError, UsageError } from "./errors.js";
import { BACKGROUND, FLOATING, GROUP, INHERITED } from "./flags.js";
import { isInside } from "./floating.js";
import { release, scopeOf } from "./lookup.js";
import { Nursery } from "./nursery.js";
import { leaveAndEnd } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { Task, TaskOptions } from "./task.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

type Starting<V> = (task: Task, started: (value: V) => void) => Awaitable<unknown>;

/** `nursery.start`: the task begins in a nursery of its own below the caller, the hatchery, and moves to `target` when it says `started`. */
export async function startIn<V>(target: Nursery, fn: Starting<V>, options: (TaskOptions & Cancellable) | undefined): Promise<V> {
  requireFunction(fn, "nursery.start()");
  target._admit();
  const isScope = options instanceof CancelScope;
  const caller = scopeOf(options);
  // Keeps the target open, also when there is no task in it.
  target._pending++;
  const hatchery = new Nursery({ name: "start" });
  try {
    hatchery._enter(caller);
    const task = target._newTask(fn, isScope ? undefined : options);
    return await hatch(hatchery, task, target, fn);
  } finally {
    target._pending--;
    target._noteLeft();
    release(caller);
  }
}

async function hatch<V>(hatchery: Nursery, task: Task, target: Nursery, fn: Starting<V>): Promise<V> {
  let status: { readonly value: V } | undefined;
  const started = (value: V): void => {
    if (status !== undefined)
      throw new UsageError(`started() was called twice in ${task._path}; it is called once, when the task is ready`);
    if (task._next === undefined) throw new UsageError(`started() was called after ${task._path} had ended`);
    status = { value };
    // The start has been cancelled meanwhile: the task stays where it is, and ends there.
    if (hatchery._reason === undefined) {
      hatchery._forget(task);
      task._flags |= isBackground;
      move(task, target);
    } else if (isDisposable(value)) hatchery.defer(() => (hatchery._outcome.isClean ? undefined : dispose(value)));
  };
  // What is said in its nursery holds in the task from the first, and still does when it moves there.
  hatchery._rarely.binding = { variable: undefined, value: undefined, outer: target };
  if (!isInside(hatchery, target)) adopt(target, hatchery);
  task._enter(hatchery);
  // In the background of its nursery, but not here: start() waits for it.
  const isBackground = task._flags & BACKGROUND;
  task._flags = (task._flags & ~(INHERITED | BACKGROUND)) | (target._flags & INHERITED);
  // What the task throws comes out of start() as it is, never wrapped.
  hatchery._flags &= ~GROUP;
  hatchery._count(task);
  task._begin((own) => fn(own, started));
  try {
    await leaveAndEnd(hatchery);
  } catch (error) {
    const isOfTarget = !hatchery._isCancelledOutside && (hatchery._flags & FLOATING) === 0;
    if (hatchery._outcome.isCancelled && isOfTarget) throw cancelledWith(target, task, error);
    throw error;
  } finally {
    target._rare?.starting?.delete(hatchery);
  }
  if (status === undefined && task._state === "cancelled")
    throw new TaskCancelledError(`${task._path} was cancelled before it called started()`, task._path, task._result);
  if (status === undefined)
    throw new UsageError(`${task._path} ended without having called started(), so there is no value for start() to return`);
  return status.value;
}

/**
 * A nursery that is cancelled takes the tasks with it that are starting for it from outside: they could wait for ever for what is gone with it
 * (trio#1431). Those that start from inside it are reached through the tree, unless a shield is there to keep them.
 */
function adopt(target: Nursery, hatchery: Nursery): void {
  const rare = target._rarely;
  rare.starting ??= new Set();
  rare.starting.add(hatchery);
  if (target._reason !== undefined && hatchery._reason === undefined) deliver(hatchery, target._reason);
}

function move(task: Task, target: Nursery): void {
  task._detach();
  task._attach(target);
  target._count(task);
}

function cancelledWith(target: Nursery, task: Task, cause: unknown): TaskCancelledError {
  const message = `${task._path} was cancelled before it called started(), because the nursery it was started for, ${target._path}, was cancelled`;
  return new TaskCancelledError(message, task._path, cause);
}
