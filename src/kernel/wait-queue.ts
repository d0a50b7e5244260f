import type { ScopeNode } from "./scope-node.js";
import type { WaitHandler } from "./wait-handler.js";
import { Waiter } from "./waiter.js";

/** What stands in a queue: a waiter, or one case of a `select`. */
export interface Queued<T, W = undefined> {
  /** What it came for, where the queue's owner needs to know. */
  readonly what: W;
  /** The promise that settles when it is woken or failed. */
  readonly promise: Promise<unknown>;
  /** Where it stands. Written by the queue. */
  _queue: WaitQueue<T, W>;
  /** Neighbours in the queue; meaningful while it is in it. */
  _before: Queued<T, W> | undefined;
  _after: Queued<T, W> | undefined;
  /** Ends its wait, which takes it out of the queue. */
  wake(value: T): boolean;
  /** As `wake`, after whoever wakes it has gone on. */
  wakeBehind(value: T): boolean;
  fail(error: unknown): boolean;
}

/** A waiter in the queue of a primitive. What is special about one says its handler, not a subclass: see docs/decisions/27. */
export class QueueWaiter<T, W = undefined> extends Waiter<T> implements Queued<T, W> {
  readonly what: W;
  _queue: WaitQueue<T, W>;
  _before: Queued<T, W> | undefined;
  _after: Queued<T, W> | undefined;
  readonly #handler: WaitHandler<QueueWaiter<T, W>> | undefined;

  constructor(queue: WaitQueue<T, W>, what: W, handler?: WaitHandler<QueueWaiter<NoInfer<T>, NoInfer<W>>>) {
    super();
    this.what = what;
    this._queue = queue;
    this._before = undefined;
    this._after = undefined;
    this.#handler = handler;
  }

  get op(): string {
    return this._queue.op;
  }

  get on(): object {
    return this._queue.on;
  }

  override get isCancellable(): boolean {
    return this.#handler === undefined || this.#handler.isCancellable;
  }

  override _forget(): void {
    this._queue._remove(this);
  }

  /** @internal */
  override _end(outcome: unknown, failed: boolean, isBehind = false): boolean {
    return this.#handler === undefined ? super._end(outcome, failed, isBehind) : this.#handler.end(this, outcome, failed, isBehind);
  }

  /** As `_end`, for its handler. */
  _endAs(outcome: unknown, failed: boolean, isBehind = false): boolean {
    return super._end(outcome, failed, isBehind);
  }

  override _cancel(reason: unknown): boolean {
    return this.#handler === undefined ? super._cancel(reason) : this.#handler.cancel(this, reason);
  }

  override _finishCancel(): void {
    this.#handler?.finishCancel();
  }
}

/**
 * Waiters in order of arrival, as Trio's ParkingLot: the building block of every primitive.
 * Arriving, waking the first and leaving by cancellation are O(1). A waiter is in the queue exactly as long as it is parked.
 */
export class WaitQueue<T = void, W = undefined> {
  readonly op: string;
  readonly on: object;
  #first: Queued<T, W> | undefined = undefined;
  #last: Queued<T, W> | undefined = undefined;
  #size = 0;

  constructor(op: string, on: object) {
    this.op = op;
    this.on = on;
  }

  get size(): number {
    return this.#size;
  }

  get first(): Queued<T, W> | undefined {
    return this.#first;
  }

  /** Waits at the end of the queue. The caller has checked that the scope admits operations. */
  wait(scope: ScopeNode, what: W): Promise<T> {
    const waiter = new QueueWaiter(this, what);
    this._append(waiter);
    return scope._park(waiter);
  }

  /** Wakes the longest waiting one, if there is one, and returns it. */
  wakeFirst(value: T): Queued<T, W> | undefined {
    const waiter = this.#first;
    waiter?.wake(value);
    return waiter;
  }

  wakeAll(value: T): void {
    while (this.#first !== undefined) this.#first.wake(value);
  }

  failAll(error: unknown): void {
    while (this.#first !== undefined) this.#first.fail(error);
  }

  /** The longest waiting one goes on waiting, at the end of another queue. */
  moveFirst(to: WaitQueue<T, W>): void {
    const waiter = this.#first;
    if (waiter === undefined) return;
    this._remove(waiter);
    to._append(waiter);
  }

  _append(waiter: Queued<T, W>): void {
    waiter._queue = this;
    waiter._before = this.#last;
    waiter._after = undefined;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last._after = waiter;
    this.#last = waiter;
    this.#size++;
  }

  _remove(waiter: Queued<T, W>): void {
    if (waiter._before === undefined) this.#first = waiter._after;
    else waiter._before._after = waiter._after;
    if (waiter._after === undefined) this.#last = waiter._before;
    else waiter._after._before = waiter._before;
    this.#size--;
  }
}
