import type { Cancelled } from "./cancelled.js";
import type { Leader } from "./leader.js";
import { Nursery } from "./nursery.js";
import type { ScopeNode } from "./scope-node.js";
import type { Task } from "./task.js";
import type { Awaitable } from "./types.js";

/**
 * The nursery of something that the library itself does in one. Its leader hears what happens in it, and says what that means.
 *
 * One class for all leaders, and no subclass: an engine specialises a constructor, and what it makes, for four classes at most. `CancelScope`, `Nursery`, `Task` and this
 * one are four; with a fifth in use every task of the program would cost half as much again (docs/decisions/27).
 */
export class LedNursery extends Nursery {
  /** @internal */
  readonly _leader: Leader;

  constructor(leader: Leader) {
    super();
    this._leader = leader;
  }

  override get name(): string {
    return this._leader.caller;
  }

  /** @internal */
  override _forget(task: ScopeNode): void {
    super._forget(task);
    this._leader.taskEnded(task as Task);
  }

  /** @internal */
  override _ledTaskLeft(task: Task): void {
    this._leader.ledTaskLeft(task);
  }

  /** @internal */
  override _noteLeft(): void {
    this._leader.childLeft();
    super._noteLeft();
  }

  /** @internal */
  override _failed(error: unknown): void {
    if (this._leader.countsFailures) super._failed(error);
  }

  /** @internal */
  override get _isGrouping(): boolean {
    return this._leader.mayGroup && super._isGrouping;
  }

  /** @internal */
  override _cancelWith(reason: Cancelled): void {
    super._cancelWith(reason);
    this._leader.cancelCalled();
  }

  /** @internal */
  override get _hasCleanups(): boolean {
    return this._leader.hasLost || super._hasCleanups;
  }

  /** @internal */
  override _takeCleanup(): ((scope: never) => Awaitable<unknown>) | undefined {
    this._leader.disposeLost();
    return super._takeCleanup();
  }

  /** Which results are lost is for the leader to say. @internal */
  override get _hasUndelivered(): boolean {
    return false;
  }

  /** @internal */
  override _leave(): Promise<void> | undefined {
    const leaving = super._leave();
    if (leaving === undefined) this._leader.nurseryEnds();
    return leaving;
  }
}
