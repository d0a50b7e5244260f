import { cancellation } from "../kernel/cancelled.js";
import { CALLED, EXPLICIT, LEAVING } from "../kernel/flags.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Task } from "../kernel/task.js";
import type { Awaitable } from "../kernel/types.js";
import { Gathering } from "./gathering.js";
import type { TaskFunction } from "./task-function.js";

/** The nursery of functions, one task each, that its subclasses tell apart by what the end of one of them means for the others. */
export abstract class Group<R> extends Gathering<R> {
  /** The tasks, in the order of the functions. @internal */
  readonly _members: Task[] = [];
  /** Its members are over, but not all that they left behind. */
  #isOver = false;

  /** Whether the value of a member is in what `_result` returns. @internal */
  abstract _keeps(member: Task): boolean;

  /** A member has ended, and is still in its place in the tree. @internal */
  _memberEnded(_member: Task): void {}

  /** A member has left the tree, and others go on. @internal */
  _memberLeft(): void {}

  /** Runs the functions in `scope`, and resolves to the result when all have ended. There is at least one. @internal */
  _runAll(scope: CancelScope, functions: readonly TaskFunction[]): Promise<R> {
    this._enter(scope);
    for (const fn of functions) this._addMember(fn);
    // Where the ambient scope has to be set, each takes its first step on a microtask of its own; and in simulated time each when its turn has come.
    if ((this._flags & EXPLICIT) !== 0 && this._runtime === productionRuntime) void this._runtime.start<Group<R>>(this).then(stepAll);
    else for (const member of this._members) member._begin(member._result as TaskFunction);
    return this._settled(scope);
  }

  /** @internal */
  _addMember(fn: TaskFunction): Task {
    this._flags |= LEAVING;
    const member = new Task(fn, this._members.length + 1, false);
    member._result = fn;
    this._members.push(member);
    member._enter(this);
    this._count(member);
    return member;
  }

  /** Nobody needs those that go on. @internal */
  _cancelRest(why: string): void {
    if ((this._flags & CALLED) === 0) this._cancelWith(cancellation("cancel", this._path, why, this._tree));
  }

  /** @internal */
  override _forget(task: ScopeNode): void {
    super._forget(task);
    // Members have numbers; what else is in it has a name.
    if ((task as Task)._number > 0) this._memberEnded(task as Task);
  }

  /** @internal */
  override _noteLeft(): void {
    if (this.#isOver) super._noteLeft();
    else if (this._pending > 0) this._memberLeft();
    else {
      this.#isOver = true;
      this._over();
    }
  }

  /** Values that nobody will get are disposed, before anything else is cleaned up. @internal */
  override _takeCleanup(): ((scope: never) => Awaitable<unknown>) | undefined {
    for (const task of this._undelivered ?? []) {
      if (!this._isLost(task)) continue;
      this._undelivered?.delete(task);
      this._dispose(task);
    }
    return super._takeCleanup();
  }

  /** @internal */
  override get _hasUndelivered(): boolean {
    for (const task of this._undelivered ?? []) if (this._isLost(task)) return true;
    return false;
  }

  /** @internal */
  _isLost(member: Task): boolean {
    return this._isForfeited || !this._keeps(member);
  }
}

function stepAll<R>(group: Group<R>): void {
  for (const member of group._members) member._step();
}

/** Why a member has no value, once it has ended without. */
export function errorOf(member: Task): unknown {
  return member._state === "failed" ? member._result : member._cancelledError();
}
