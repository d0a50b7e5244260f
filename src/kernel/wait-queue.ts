import type { ScopeNode } from "./scope-node.js";
import { Waiter } from "./waiter.js";

/** A waiter in the queue of a primitive. `what` says what it came for, where the queue's owner needs to know. */
export class QueueWaiter<T, W = undefined> extends Waiter<T> {
  readonly queue: WaitQueue<T, W>;
  readonly what: W;
  /** Neighbours in the queue; meaningful while it is in it. */
  _before: QueueWaiter<T, W> | undefined;
  _after: QueueWaiter<T, W> | undefined;

  constructor(queue: WaitQueue<T, W>, what: W) {
    super();
    this.queue = queue;
    this.what = what;
    this._before = undefined;
    this._after = undefined;
  }

  get op(): string {
    return this.queue.op;
  }

  get on(): object {
    return this.queue.on;
  }

  override _forget(): void {
    this.queue._remove(this);
  }
}

/**
 * Waiters in order of arrival, as Trio's ParkingLot: the building block of every primitive.
 * Arriving, waking the first and leaving by cancellation are O(1). A waiter is in the queue exactly as long as it is parked.
 */
export class WaitQueue<T = void, W = undefined> {
  readonly op: string;
  readonly on: object;
  #first: QueueWaiter<T, W> | undefined = undefined;
  #last: QueueWaiter<T, W> | undefined = undefined;
  #size = 0;

  constructor(op: string, on: object) {
    this.op = op;
    this.on = on;
  }

  get size(): number {
    return this.#size;
  }

  get first(): QueueWaiter<T, W> | undefined {
    return this.#first;
  }

  /** Waits at the end of the queue. The caller has checked that the scope admits operations. */
  wait(scope: ScopeNode, what: W): Promise<T> {
    const waiter = new QueueWaiter(this, what);
    waiter._before = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last._after = waiter;
    this.#last = waiter;
    this.#size++;
    return scope._park(waiter);
  }

  /** Wakes the longest waiting one, if there is one, and returns it. */
  wakeFirst(value: T): QueueWaiter<T, W> | undefined {
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

  _remove(waiter: QueueWaiter<T, W>): void {
    if (waiter._before === undefined) this.#first = waiter._after;
    else waiter._before._after = waiter._after;
    if (waiter._after === undefined) this.#last = waiter._before;
    else waiter._after._before = waiter._before;
    this.#size--;
  }
}
