import { cancellation } from "../kernel/cancelled.js";
import { CALLED, CAUGHT, EXPLICIT, LEAVING } from "../kernel/flags.js";
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
  readonly _members: Member[] = [];
  /** Its members are over, but not all that they left behind. */
  #isOver = false;

  /** Whether the value of a member is in what `_result` returns. @internal */
  abstract _keeps(member: Task): boolean;

  /** A member has ended, and is still in its place in the tree. @internal */
  _memberEnded(_member: Member): void {}

  /** A member has left the tree, and others go on. @internal */
  _memberLeft(): void {}

  /** Runs the functions in `scope`, and resolves to the result when all have ended. There is at least one. @internal */
  _runAll(scope: CancelScope, functions: readonly TaskFunction[]): Promise<R> {
    this._enter(scope);
    for (const fn of functions) this._addMember(fn);
    // Where the ambient scope has to be set, each takes its first step on a microtask of its own; and in simulated time each when its turn has come.
    if ((this._flags & EXPLICIT) !== 0 && this._runtime === productionRuntime) void this._runtime.start<Group<R>>(this).then(stepAll);
    else for (const member of this._members) member._begin(member._fn);
    return this._settled(scope);
  }

  /** @internal */
  _addMember(fn: TaskFunction): Member {
    this._flags |= LEAVING;
    const member = new Member(fn, this._members.length + 1);
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
    if (task instanceof Member) this._memberEnded(task);
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

/** The task of one function. */
export class Member extends Task {
  /** @internal */
  readonly _fn: TaskFunction;

  constructor(fn: TaskFunction, number: number) {
    super("", number, false);
    this._fn = fn;
    this._result = fn;
  }

  /** Reading the name of a function takes a while, so it is not done before somebody asks. */
  override get name(): string {
    return `${this._fn.name || "task"}#${this._number}`;
  }

  /** Whether it was cancelled by its own scope, and by nothing else: somebody else's cancellation, for whoever waits for its value. @internal */
  get _isSelfCancelled(): boolean {
    return this._state === "cancelled" && (this._flags & CAUGHT) !== 0;
  }

  /** Why it has no value, once it has ended without. @internal */
  get _error(): unknown {
    return this._state === "failed" ? this._result : this._cancelledError();
  }
}
