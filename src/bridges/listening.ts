import type { Cancelled } from "../kernel/cancelled.js";
import { ENDED, TASK } from "../kernel/flags.js";
import { type Linked, linkOf } from "../kernel/foreign-signal.js";
import { release } from "../kernel/lookup.js";
import { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import type { Source } from "./event-source.js";
import { Listeners } from "./listeners.js";

/** The time for which one listens to something, in a scope: until it is closed, or that scope is cancelled or left. No listener stays behind. */
export class Listening implements Linked {
  readonly listeners: Listeners;
  readonly #scope = new CancelScope({ name: "events" });
  readonly #onEnd: (reason: Cancelled) => void;

  /** @param onEnd is told why, when the scope is what ends it; it is to close it */
  constructor(parent: ScopeNode, source: Source, onEnd: (reason: Cancelled) => void) {
    this.listeners = new Listeners(source);
    this.#onEnd = onEnd;
    this.#scope._enter(parent);
  }

  begin(): void {
    if (this.#scope._reason === undefined) linkOf(this.#scope.signal).add(this);
    else this._abortedBy();
  }

  /** Whether somebody waits for what it listens to: as a task that waits for nothing that the library knows of, so that a simulation gives it time. */
  set isAwaited(on: boolean) {
    const scope = this.#scope;
    scope._flags = on ? scope._flags | TASK : scope._flags & ~TASK;
  }

  /** @internal */
  _abortedBy(): void {
    this.#onEnd(this.#scope._reason as Cancelled);
  }

  close(): void {
    const scope = this.#scope;
    if ((scope._flags & ENDED) !== 0) return;
    linkOf(scope.signal).delete(this);
    this.listeners.removeAll();
    scope._end();
    release(scope._parent as ScopeNode);
  }
}
