import { type Queued, WaitQueue } from "../kernel/wait-queue.js";

/** One handle of a channel: the calls on it end when it is closed. */
export interface End {
  readonly isClosed: boolean;
  /** How many calls wait on it: who closes it need not look for them if there are none. Written by the queue. @internal */
  _waiting: number;
}

/** Calls that wait on the ends of a channel, in order of arrival over all ends. */
export abstract class EndQueue<T, W> extends WaitQueue<T, W> {
  /** On which end a call waits that came for this. @internal */
  abstract _endOf(what: W): End;

  override _append(waiter: Queued<T, W>): void {
    super._append(waiter);
    this._endOf(waiter.what)._waiting++;
  }

  override _remove(waiter: Queued<T, W>): void {
    super._remove(waiter);
    this._endOf(waiter.what)._waiting--;
  }

  /** Ends the calls that wait on one end, each with an error of its own; those on the others wait on. */
  failThoseOn(end: End, makeError: () => Error): void {
    for (let waiter = this.first; end._waiting > 0 && waiter !== undefined; ) {
      const next = waiter._after;
      if (this._endOf(waiter.what) === end) waiter.fail(makeError());
      waiter = next;
    }
  }

  /** Ends all calls, each with an error of its own: if two tasks fail by it, those are two failures. */
  failEach(makeError: () => Error): void {
    while (this.first !== undefined) this.first.fail(makeError());
  }
}
