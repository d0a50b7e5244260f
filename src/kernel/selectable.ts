import type { CancelScope } from "./scope.js";
import type { Queued, WaitQueue } from "./wait-queue.js";

export const selectable: unique symbol = Symbol("creche.selectable");

/** What `select` can choose: an operation that may be done at once, or once something has happened. */
export interface Selectable<out T> {
  [selectable](): Alternative<T>;
}

/** One operation, as `select` sees it: until it is taken, or its choice is woken, it has had no effect. */
export interface Alternative<out T> {
  /** Whether it could be done now without a wait, be it that it would fail. Throws if the scope may not do it at all. */
  isReady(scope: CancelScope): boolean;
  /** Does it, right after `isReady` has said yes. */
  take(): T;
  /** Waits for it. It is done at the moment in which it wakes or fails the choice. */
  enlist(choice: Choice, scope: CancelScope): Enlisted;
}

/** The place in a parked `select` that an alternative fills. The first to wake or fail wins, and all alternatives leave then. */
export interface Choice {
  readonly promise: Promise<unknown>;
  wake(value: unknown): boolean;
  fail(error: unknown): boolean;
}

/** An alternative that waits. */
export interface Enlisted {
  /** Takes it out of whatever would wake it. Called once. Must not run code of the user. */
  leave(): void;
}

/** Stands in the queue of a primitive for one alternative of a `select`. */
class QueuedAlternative<T, W> implements Queued<T, W>, Enlisted {
  readonly what: W;
  _queue: WaitQueue<T, W>;
  _before: Queued<T, W> | undefined = undefined;
  _after: Queued<T, W> | undefined = undefined;
  readonly #choice: Choice;

  constructor(queue: WaitQueue<T, W>, what: W, choice: Choice) {
    this.what = what;
    this._queue = queue;
    this.#choice = choice;
  }

  get promise(): Promise<unknown> {
    return this.#choice.promise;
  }

  wake(value: T): boolean {
    return this.#choice.wake(value);
  }

  wakeBehind(value: T): boolean {
    return this.wake(value);
  }

  fail(error: unknown): boolean {
    return this.#choice.fail(error);
  }

  leave(): void {
    this._queue._remove(this);
  }
}

/** Has `choice` stand at the end of a queue, as a waiter would. */
export function enlistIn<T, W>(queue: WaitQueue<T, W>, what: W, choice: Choice): Enlisted {
  const queued = new QueuedAlternative(queue, what, choice);
  queue._append(queued);
  return queued;
}
