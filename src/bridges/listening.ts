import type { Cancelled } from "../kernel/cancelled.js";
import { ENDED, TASK } from "../kernel/flags.js";
import { linkOf } from "../kernel/foreign-signal.js";
import { release } from "../kernel/lookup.js";
import { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import type { Source } from "./event-source.js";
import { Listeners } from "./listeners.js";

/** The time for which one listens to something, in a scope: until it is closed, or that scope is cancelled or left. No listener stays behind. */
export class Listening extends CancelScope {
  readonly listeners: Listeners;
  readonly #onEnd: (reason: Cancelled) => void;

  /** @param onEnd is told why, when the scope is what ends it; it is to close it */
  constructor(parent: ScopeNode, source: Source, onEnd: (reason: Cancelled) => void) {
    super({ name: "events" });
    this.listeners = new Listeners(source);
    this.#onEnd = onEnd;
    this._enter(parent);
  }

  begin(): void {
    if (this._reason === undefined) linkOf(this.signal).add(this);
    else this._abortedBy();
  }

  /** Whether somebody waits for what it listens to: as a task that waits for nothing that the library knows of, so that a simulation gives it time. */
  set isAwaited(on: boolean) {
    this._flags = on ? this._flags | TASK : this._flags & ~TASK;
  }

  override _abortedBy(): void {
    this.#onEnd(this._reason as Cancelled);
  }

  close(): void {
    if ((this._flags & ENDED) !== 0) return;
    linkOf(this.signal).delete(this);
    this.listeners.removeAll();
    this._end();
    release(this._parent as ScopeNode);
  }
}
