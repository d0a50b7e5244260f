import { cancellation } from "../kernel/cancelled.js";
import { CALLED, EXPLICIT, LEAVING } from "../kernel/flags.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import { Task } from "../kernel/task.js";
import { Gathering } from "./gathering.js";
import type { TaskFunction } from "./task-function.js";

/** Functions at work, one task each. Its subclasses are told apart by what the end of one of them means for the others. */
export abstract class Group<R> extends Gathering<R> {
  /** The tasks, in the order of the functions. */
  readonly members: Task[] = [];
  /** Its members are over, but not all that they left behind. */
  #isOver = false;

  /** Whether the value of a member is in what `result` returns. */
  protected abstract keeps(member: Task): boolean;

  /** A member has ended, and is still in its place in the tree. */
  protected memberEnded(_member: Task): void {}

  /** A member has left the tree, and others go on. */
  protected memberLeft(): void {}

  /** Runs the functions in `scope`, and resolves to the result when all have ended. There is at least one. */
  runAll(scope: CancelScope, functions: readonly TaskFunction[]): Promise<R> {
    const { nursery } = this;
    nursery._enter(scope);
    for (const fn of functions) this.addMember(fn);
    // Where the ambient scope has to be set, each takes its first step on a microtask of its own; and in simulated time each when its turn has come.
    if ((nursery._flags & EXPLICIT) !== 0 && nursery._runtime === productionRuntime)
      void nursery._runtime.start(nursery).then(() => this.#stepAll());
    else for (const member of this.members) member._begin(member._result as TaskFunction);
    return this.settled(scope);
  }

  protected addMember(fn: TaskFunction): Task {
    const { nursery } = this;
    nursery._flags |= LEAVING;
    const member = new Task(fn, this.members.length + 1, false);
    member._result = fn;
    this.members.push(member);
    member._enter(nursery);
    nursery._count(member);
    return member;
  }

  /** Nobody needs those that go on. */
  protected cancelRest(why: string): void {
    const { nursery } = this;
    if ((nursery._flags & CALLED) === 0) nursery._cancelWith(cancellation("cancel", nursery._path, why, nursery._tree));
  }

  override taskEnded(task: Task): void {
    // Members have numbers; what else is in it has a name.
    if (task._number > 0) this.memberEnded(task);
  }

  override childLeft(): void {
    if (this.#isOver) return;
    if (this.nursery._pending > 0) this.memberLeft();
    else {
      this.#isOver = true;
      this.over();
    }
  }

  override get hasLost(): boolean {
    for (const task of this.nursery._undelivered ?? []) if (this.#isLost(task)) return true;
    return false;
  }

  /** Before anything else is cleaned up. */
  override disposeLost(): void {
    const { nursery } = this;
    for (const task of nursery._undelivered ?? []) {
      if (!this.#isLost(task)) continue;
      nursery._undelivered?.delete(task);
      nursery._dispose(task);
    }
  }

  #isLost(member: Task): boolean {
    return this.isForfeited || !this.keeps(member);
  }

  #stepAll(): void {
    for (const member of this.members) member._step();
  }
}

/** Why a member has no value, once it has ended without. */
export function errorOf(member: Task): unknown {
  return member._state === "failed" ? member._result : member._cancelledError();
}
