import { BrokenResourceError, ClosedResourceError, EndOfChannel, WouldBlock } from "../kernel/errors.js";
import { type End, EndQueue } from "./end-queue.js";
import { RingBuffer } from "./ring-buffer.js";

/** A value that a parked `send` would like to be rid of. */
export interface Offer<T> {
  readonly value: T;
  readonly end: End;
}

export interface MemoryChannelStatistics {
  /** How many items are in the buffer. */
  readonly currentBufferUsed: number;
  /** How many there were at most so far. */
  readonly peakBufferUsed: number;
  readonly maxBufferSize: number;
  /** How many send ends are open: the first one and its clones. */
  readonly openSendChannels: number;
  readonly openReceiveChannels: number;
  /** A `select` counts once for each of its cases that waits here. */
  readonly tasksWaitingSend: number;
  readonly tasksWaitingReceive: number;
}

class SendQueue<T> extends EndQueue<void, Offer<T>> {
  override _endOf(offer: Offer<T>): End {
    return offer.end;
  }
}

class ReceiveQueue<T> extends EndQueue<T, End> {
  override _endOf(end: End): End {
    return end;
  }
}

/** What the two ends of a channel and their clones share. */
export class MemoryChannel<T> {
  readonly #capacity: number;
  readonly #buffer = new RingBuffer<T>();
  /** Somebody waits here only while the buffer is full, or there is none. */
  readonly senders: EndQueue<void, Offer<T>> = new SendQueue("send", this);
  /** Somebody waits here only while the buffer is empty. */
  readonly receivers: EndQueue<T, End> = new ReceiveQueue("receive", this);
  #openSendEnds = 0;
  #openReceiveEnds = 0;
  #peak = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** For reports. */
  get name(): string {
    return `of capacity ${this.#capacity}`;
  }

  /** Whether a send would end at once: with a hand-over, a place in the buffer, or an error. */
  canSend(end: End): boolean {
    return end.isClosed || this.#openReceiveEnds === 0 || this.receivers.first !== undefined || this.#buffer.size < this.#capacity;
  }

  /** Hands a value to the longest waiting receiver, or puts it into the buffer. False if there is no place for it. */
  trySend(end: End, value: T): boolean {
    if (end.isClosed) throw closed("send");
    if (this.#openReceiveEnds === 0) throw broken();
    const receiver = this.receivers.first;
    if (receiver !== undefined) {
      // With a buffer the sender goes on first, and the receiver will find the next item there. Without one it would only have to wait.
      if (this.#capacity > 0) receiver.wakeBehind(value);
      else receiver.wake(value);
    } else if (this.#buffer.size < this.#capacity) this.#put(value);
    else return false;
    return true;
  }

  /** Whether a receive would end at once: with an item or with an error. */
  canReceive(end: End): boolean {
    return end.isClosed || this.#buffer.size > 0 || this.senders.first !== undefined || this.#openSendEnds === 0;
  }

  /** Takes the oldest item. The caller has asked `canReceive`. */
  take(end: End): T {
    if (end.isClosed) throw closed("receive");
    const sender = this.senders.first;
    if (this.#buffer.size > 0) {
      const item = this.#buffer.shift();
      // The place belongs to the longest waiting sender at once.
      if (sender !== undefined) {
        this.#put(sender.what.value);
        sender.wake();
      }
      return item;
    }
    if (sender === undefined) throw ended();
    const item = sender.what.value;
    sender.wake();
    return item;
  }

  takeNowait(end: End): T {
    if (!this.canReceive(end)) throw new WouldBlock("there is nothing in the channel, and nobody waits to send");
    return this.take(end);
  }

  openSendEnd(): void {
    this.#openSendEnds++;
  }

  openReceiveEnd(): void {
    this.#openReceiveEnds++;
  }

  closeSendEnd(end: End): void {
    this.senders.failThoseOn(end, () => closed("send"));
    this.#openSendEnds--;
    if (this.#openSendEnds === 0) this.receivers.failEach(ended);
  }

  closeReceiveEnd(end: End): void {
    this.receivers.failThoseOn(end, () => closed("receive"));
    this.#openReceiveEnds--;
    if (this.#openReceiveEnds > 0) return;
    this.#buffer.clear();
    this.senders.failEach(broken);
  }

  statistics(): MemoryChannelStatistics {
    return {
      currentBufferUsed: this.#buffer.size,
      peakBufferUsed: this.#peak,
      maxBufferSize: this.#capacity,
      openSendChannels: this.#openSendEnds,
      openReceiveChannels: this.#openReceiveEnds,
      tasksWaitingSend: this.senders.size,
      tasksWaitingReceive: this.receivers.size,
    };
  }

  #put(value: T): void {
    this.#buffer.push(value);
    if (this.#buffer.size > this.#peak) this.#peak = this.#buffer.size;
  }
}

export function closed(op: string): ClosedResourceError {
  return new ClosedResourceError(
    `this end of the channel is closed by its own side, so it cannot ${op} any more. Close it after its last use, or give each user a clone()`,
  );
}

function ended(): EndOfChannel {
  return new EndOfChannel("all send ends of this channel are closed, and nothing is left in it");
}

function broken(): BrokenResourceError {
  return new BrokenResourceError("all receive ends of this channel are closed, so nobody would ever take what is sent");
}
