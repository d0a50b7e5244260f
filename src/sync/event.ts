import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";

/**
 * Something that happens once: it is set, and stays set. There is no `clear()`, on purpose: for the next time, make the next event.
 *
 * Source: trio.Event.
 *
 * @example
 * const ready = new Event();
 * nursery.startSoon(async () => { await connect(); ready.set(); });
 * await ready.wait();
 */
export class Event implements Selectable<void> {
  readonly #waiting = new WaitQueue<void>("wait", this);
  #isSet = false;

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Sets it, and wakes all who wait, in order of arrival. No checkpoint. Setting it again has no effect. */
  set(): void {
    this.#isSet = true;
    this.#waiting.wakeAll();
  }

  /** Waits until it is set. A full checkpoint, also if it is set already; throws `Cancelled` if the scope is cancelled first. */
  wait(scope?: Cancellable): Promise<void> {
    return operate(scope, waitIn, this);
  }

  /** `select` takes an event as one of its cases: it waits until it is set. */
  [selectable](): Alternative<void> {
    return {
      isReady: () => this.#isSet,
      take: () => {},
      enlist: (choice) => enlistIn(this.#waiting, undefined, choice),
    };
  }

  statistics(): { readonly tasksWaiting: number } {
    return { tasksWaiting: this.#waiting.size };
  }

  /** @internal */
  _wait(scope: CancelScope): Promise<void> {
    return this.#isSet ? scope._runtime.pause(scope, "wait", this) : this.#waiting.wait(scope, undefined);
  }
}

function waitIn(scope: CancelScope, event: Event): Promise<void> {
  return event._wait(scope);
}
