/// <reference lib="esnext.disposable" preserve="true" />

import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";
import { QueueWaiter } from "../kernel/wait-queue.js";
import { ChannelIterator } from "./channel-iterator.js";
import type { End } from "./end-queue.js";
import { closed, type MemoryChannel, type MemoryChannelStatistics } from "./memory-channel.js";
import { nextOf, Receiving, ReceivingOrEnd } from "./receiving.js";

export interface ValuesOptions extends Cancellable {
  /** `true`: the end stays open when the loop is left early, as for `ReadableStream.values`. Default `false`. */
  readonly preventCancel?: boolean | undefined;
}

/**
 * The end of a channel that items come out of; made by `openMemoryChannel`, and by `clone`. Each item goes to one receiver.
 *
 * Iterating takes items until the end of the channel. Leaving the loop early, by `break`, `return`, a throw or a cancellation, closes this end,
 * which tells the producers: when it was the last one, they get `BrokenResourceError`.
 *
 * Source: trio.MemoryReceiveChannel.
 */
export class MemoryReceiveChannel<out T> implements Disposable, AsyncIterable<T>, Selectable<T>, End {
  readonly #channel: MemoryChannel<T>;
  #isClosed = false;
  /** @internal */
  _waiting = 0;

  /** @internal */
  constructor(channel: MemoryChannel<T>) {
    this.#channel = channel;
    channel.openReceiveEnd();
  }

  /**
   * Waits for an item, and takes it. A full checkpoint, also if one is there. Receivers are served in order of arrival, items come in the
   * order in which they were sent. A cancelled `receive` has taken nothing; one that was done before the cancellation delivers its item.
   *
   * A promise as an item is awaited, because every promise resolves through promises: wrap it in an object if it has to arrive as it is.
   *
   * @throws EndOfChannel if all send ends are closed and nothing is left, also meanwhile
   * @throws ClosedResourceError if this end is closed, also meanwhile
   */
  receive(scope?: Cancellable): Promise<T> {
    return operate(scope, receiveIn<T>, this);
  }

  /**
   * Takes an item if that needs no wait. No checkpoint.
   *
   * @throws WouldBlock if the buffer is empty and nobody waits to send
   * @throws EndOfChannel, ClosedResourceError as `receive`
   */
  receiveNowait(): T {
    return this.#channel.takeNowait(this);
  }

  /** `select` takes a receive end as one of its cases: it receives. */
  [selectable](): Alternative<T> {
    return new Receiving(this.#channel, this);
  }

  /** As one of the cases of a `select`: receives, with the end of the channel as a result, `{ done: true }`, instead of an error. */
  get orEnd(): Selectable<IteratorResult<T, undefined>> {
    return { [selectable]: () => new ReceivingOrEnd(new Receiving(this.#channel, this)) };
  }

  /**
   * Iterates as the channel itself does, with options: the scope in which it waits, and whether leaving the loop early closes this end.
   *
   * @example for await (const job of jobs.values({ preventCancel: true })) { if (isLast(job)) break; }
   */
  values(options?: ValuesOptions): AsyncIterableIterator<T, undefined> {
    return new ChannelIterator(this, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.values();
  }

  /**
   * Another handle for the same end. Senders see that nobody receives any more when all of them are closed: so each consumer closes its own.
   *
   * @throws ClosedResourceError if this one is closed
   */
  clone(): MemoryReceiveChannel<T> {
    if (this.#isClosed) throw closed("be cloned");
    return new MemoryReceiveChannel(this.#channel);
  }

  /**
   * Closes this handle; idempotent, no checkpoint. Calls that wait on it throw `ClosedResourceError`. If it was the last one open, what is in the
   * buffer is dropped, and senders throw `BrokenResourceError`.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#channel.closeReceiveEnd(this);
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  statistics(): MemoryChannelStatistics {
    return this.#channel.statistics();
  }

  /** @internal */
  _receive(scope: CancelScope): Promise<T> {
    const channel = this.#channel;
    return channel.canReceive(this)
      ? scope._runtime.pause(scope, "receive", channel, channel.take(this))
      : channel.receivers.wait(scope, this);
  }

  /** As `_receive`, as an iterator tells it. @internal */
  _next(scope: CancelScope, loop: ChannelIterator<T>): Promise<IteratorResult<T, undefined>> {
    const channel = this.#channel;
    const receiving = new Receiving(channel, this);
    if (receiving.isReady()) return scope._runtime.pause(scope, "receive", channel, nextOf(receiving));
    const waiter = new QueueWaiter(channel.receivers, this, loop._waits);
    channel.receivers._append(waiter);
    return scope._park(waiter) as Promise<unknown> as Promise<IteratorResult<T, undefined>>;
  }
}

function receiveIn<T>(scope: CancelScope, end: MemoryReceiveChannel<T>): Promise<T> {
  return end._receive(scope);
}
