/// <reference lib="esnext.disposable" preserve="true" />

import { BrokenResourceError, ClosedResourceError, EndOfChannel, WouldBlock } from "../kernel/errors.js";
import { type Queued, WaitQueue } from "../kernel/wait-queue.js";
import type { Broadcast } from "./broadcast.js";
import { END, type Item } from "./next-item.js";
import { itemOf, Receivable } from "./receivable.js";

export interface SubscriptionStatistics {
  /** How many items it has to read. */
  readonly currentBufferUsed: number;
  /** How many it has lost, because it was too slow. */
  readonly dropped: number;
  readonly tasksWaitingReceive: number;
}

/**
 * One subscriber of a `Broadcast`: the end that items come out of. If several tasks receive from it, they share its items.
 *
 * Iterating takes items until the broadcast is closed. Leaving the loop early, by `break`, `return`, a throw or a cancellation, closes the subscription,
 * so that a sender does not wait for it.
 */
export class Subscription<out T> extends Receivable<T> implements Disposable, AsyncIterable<T> {
  readonly #broadcast: Broadcast<T>;
  /** @internal */
  readonly _receivers: WaitQueue<Item<T>>;
  /** Its place in the log; behind the start of that once it was too slow. */
  #place: number;
  #dropped = 0;
  #isClosed = false;

  /** @internal */
  constructor(broadcast: Broadcast<T>, place: number) {
    super();
    this.#broadcast = broadcast;
    this.#place = place;
    this._receivers = new SubscriptionQueue(this, broadcast._hungry);
  }

  /**
   * Takes an item if that needs no wait. No checkpoint.
   *
   * @throws WouldBlock if there is none
   * @throws EndOfChannel, ClosedResourceError, BrokenResourceError as `receive`
   */
  receiveNowait(): T {
    if (!this._isReady()) throw new WouldBlock("there is nothing to receive on this subscription");
    return itemOf(this, this._take());
  }

  /**
   * Ends the subscription; idempotent, no checkpoint. What it has not read is dropped; calls that wait on it throw `ClosedResourceError`. Senders that
   * wait for it go on.
   */
  close(): void {
    if (this.#isClosed) return;
    const isMember = !this.#isCutOff;
    this.#catchUp();
    this.#isClosed = true;
    this._receivers.failAll(closed());
    if (!isMember) return;
    this.#broadcast._log.exit(this.#place);
    this.#broadcast._unsubscribed();
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  statistics(): SubscriptionStatistics {
    this.#catchUp();
    return {
      currentBufferUsed: this.#isClosed || this.#isCutOff ? 0 : this.#broadcast._log.end - this.#place,
      dropped: this.#dropped,
      tasksWaitingReceive: this._receivers.size,
    };
  }

  /** @internal */
  _isReady(): boolean {
    return this.#isClosed || this.#broadcast.isClosed || this.#place < this.#broadcast._log.end;
  }

  /** @internal */
  _take(): Item<T> {
    if (this.#isClosed) throw closed();
    if (this.#isCutOff) throw this.#cutOff();
    this.#catchUp();
    const { _log: log } = this.#broadcast;
    if (this.#place === log.end) return END;
    const value = log.at(this.#place);
    this.#pass();
    this.#broadcast._moved();
    return { done: false, value };
  }

  /** @internal */
  _asked(): void {}

  /** @internal */
  _endOfItems(): EndOfChannel {
    return new EndOfChannel("the broadcast is closed, and nothing is left to receive");
  }

  /** @internal */
  async _leave(): Promise<void> {
    this.close();
  }

  /** An item was put into the log, and somebody waits: who does so longest takes it. @internal */
  _hand(value: T): void {
    this.#pass();
    this._receivers.first?.wakeBehind({ done: false, value });
  }

  /** Nothing more is sent, and nothing is left. @internal */
  _endWaits(): void {
    this._receivers.wakeAll(END);
  }

  get #isCutOff(): boolean {
    return this.#broadcast._isStrict && this.#place < this.#broadcast._log.start && !this.#isClosed;
  }

  #pass(): void {
    this.#broadcast._log.pass(this.#place);
    this.#place++;
  }

  /** Where the sender did not wait for it, it has been moved on. */
  #catchUp(): void {
    const { start } = this.#broadcast._log;
    if (this.#isClosed || this.#place >= start || this.#broadcast._isStrict) return;
    this.#dropped += start - this.#place;
    this.#place = start;
  }

  #cutOff(): BrokenResourceError {
    const { maxBufferSize } = this.#broadcast.statistics();
    const advice = 'Read faster, give the broadcast more capacity, or have it "block" or "dropOldest"';
    return new BrokenResourceError(`this subscription was cut off, because it was more than ${maxBufferSize} items behind. ${advice}`);
  }
}

/** Whoever waits on a subscription. The broadcast knows on which ones somebody does. */
class SubscriptionQueue<T> extends WaitQueue<Item<T>> {
  readonly #subscription: Subscription<T>;
  readonly #hungry: Set<Subscription<T>>;

  constructor(subscription: Subscription<T>, hungry: Set<Subscription<T>>) {
    super("receive", subscription);
    this.#subscription = subscription;
    this.#hungry = hungry;
  }

  override _append(waiter: Queued<Item<T>>): void {
    if (this.size === 0) this.#hungry.add(this.#subscription);
    super._append(waiter);
  }

  override _remove(waiter: Queued<Item<T>>): void {
    super._remove(waiter);
    if (this.size === 0) this.#hungry.delete(this.#subscription);
  }
}

function closed(): ClosedResourceError {
  return new ClosedResourceError("this subscription is closed by its own side, so it cannot receive any more");
}
