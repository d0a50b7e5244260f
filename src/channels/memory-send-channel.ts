/// <reference lib="esnext.disposable" preserve="true" />

import { WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";
import type { End } from "./end-queue.js";
import { closed, type MemoryChannel, type MemoryChannelStatistics } from "./memory-channel.js";

/**
 * The end of a channel that items go into; made by `openMemoryChannel`, and by `clone`.
 *
 * Source: trio.MemorySendChannel.
 */
export class MemorySendChannel<in T> implements Disposable, End {
  /** Of what it is a channel matters to `send` alone: so an end that takes more is also one that takes less. */
  readonly #channel: MemoryChannel<unknown>;
  #isClosed = false;
  /** @internal */
  _waiting = 0;

  /** @internal */
  constructor(channel: MemoryChannel<unknown>) {
    this.#channel = channel;
    channel.openSendEnd();
  }

  /**
   * Waits until the value is in the buffer, or, where there is none, until somebody has received it. A full checkpoint, also if there is room.
   * Senders are served in order of arrival; a place that becomes free belongs to the longest waiting one at once.
   *
   * A cancelled `send` has not sent; one that was done before the cancellation does not throw.
   *
   * @throws BrokenResourceError if all receive ends are closed, also meanwhile
   * @throws ClosedResourceError if this end is closed, also meanwhile
   */
  send(value: T, scope?: Cancellable): Promise<void> {
    return operate(scope, sendIn<T>, this, value);
  }

  /**
   * Sends if that needs no wait. No checkpoint.
   *
   * @throws WouldBlock if the buffer is full, or there is none and nobody waits to receive
   * @throws BrokenResourceError, ClosedResourceError as `send`
   */
  sendNowait(value: T): void {
    if (!this.#channel.trySend(this, value)) throw new WouldBlock("there is no room in the channel, and nobody waits to receive");
  }

  /** `send(value)` as one of the cases of a `select`. */
  sending(value: T): Selectable<void> {
    return { [selectable]: () => new Sending(this.#channel, this, value) };
  }

  /**
   * Another handle for the same end. Receivers see the end of the channel when all of them are closed: so each producer closes its own.
   *
   * @throws ClosedResourceError if this one is closed
   */
  clone(): MemorySendChannel<T> {
    if (this.#isClosed) throw closed("be cloned");
    return new MemorySendChannel(this.#channel);
  }

  /**
   * Closes this handle; idempotent, no checkpoint. Calls that wait on it throw `ClosedResourceError`. If it was the last one open, receivers get
   * what is still in the buffer, then `EndOfChannel`.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#channel.closeSendEnd(this);
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
  _send(scope: CancelScope, value: T): Promise<void> {
    const channel = this.#channel;
    return channel.trySend(this, value) ? scope._runtime.pause(scope, "send", channel) : channel.senders.wait(scope, { value, end: this });
  }
}

function sendIn<T>(scope: CancelScope, end: MemorySendChannel<T>, value: T): Promise<void> {
  return end._send(scope, value);
}

class Sending implements Alternative<void> {
  readonly #channel: MemoryChannel<unknown>;
  readonly #end: End;
  readonly #value: unknown;

  constructor(channel: MemoryChannel<unknown>, end: End, value: unknown) {
    this.#channel = channel;
    this.#end = end;
    this.#value = value;
  }

  isReady(): boolean {
    return this.#channel.canSend(this.#end);
  }

  take(): void {
    this.#channel.trySend(this.#end, this.#value);
  }

  enlist(choice: Choice): Enlisted {
    return enlistIn(this.#channel.senders, { value: this.#value, end: this.#end }, choice);
  }
}
