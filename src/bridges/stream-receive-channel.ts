/// <reference lib="esnext.disposable" preserve="true" />

import { END, type Item } from "../channels/next-item.js";
import { Receivable } from "../channels/receivable.js";
import { ClosedResourceError, EndOfChannel } from "../kernel/errors.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { StreamLife } from "./stream-life.js";

/** What a stream has failed with. */
export interface Failure {
  readonly error: unknown;
}

/** A stream that is read, as a channel needs it. */
export interface Source<T> {
  /** Whether a chunk is at hand: it has been read, and nobody has received it. Asking may run code of the user. */
  readonly hasChunk: boolean;
  /** The chunk at hand. The caller has asked `hasChunk`. */
  take(): T;
  /** Has the stream read. `_arrived` or `_ended` is called then, never before this returns. Asking again meanwhile has no effect. */
  request(): void;
  /** Lets go of a stream that has not ended. Its scope is not left before that is done. */
  stop(reason: unknown): Awaitable<unknown>;
  /** Lets go of a stream that has ended. */
  detach(): void;
}

/**
 * What comes out of a stream, as from the receive end of a channel; made by `fromReadableStream`, and by `fromReadable` of `creche/node`.
 *
 * The stream is read when somebody receives, never ahead. A chunk that was read for a `receive` that has been cancelled is kept for the next one. Once the
 * stream has failed, every `receive` throws its error, that very object.
 *
 * Iterating takes chunks until the end. Leaving the loop early, by `break`, `return`, a throw or a cancellation, closes it.
 *
 * It lives in the scope in which it was made: when that is cancelled or left, it is closed. The scope is not left before the stream has let go.
 *
 * Source: trio.abc.ReceiveChannel.
 */
export class StreamReceiveChannel<out T> extends Receivable<T> implements AsyncIterable<T>, Disposable {
  /** Nobody waits here while a chunk is at hand that has been told of. @internal */
  readonly _receivers: WaitQueue<Item<T>> = new WaitQueue("receive", this);
  readonly #life: StreamLife;
  readonly #source: Source<T>;
  /** Set once nothing follows the chunk at hand: what comes then. */
  #last: (() => Item<T>) | undefined = undefined;
  #isClosed = false;

  /** @internal */
  constructor(name: string, where: Cancellable | undefined, open: (channel: StreamReceiveChannel<T>) => Source<T>) {
    super();
    this.#life = new StreamLife(name, where);
    try {
      this.#source = open(this);
    } catch (error) {
      this.#life.end();
      throw error;
    }
    this.#life.begin((reason) => {
      const error = this.#shut(`${name}() was called in a scope that has been cancelled or left meanwhile`, reason);
      this.#life.endCancelled(
        () => this._receivers.failAll(error),
        () => this.#source.stop(reason),
      );
    });
  }

  /**
   * Closes it; idempotent, no checkpoint. Calls that wait on it throw `ClosedResourceError`. A stream that has not ended is cancelled, or destroyed;
   * what goes wrong then fails the nursery around it.
   */
  close(): void {
    if (this.#isClosed) return;
    this._receivers.failAll(this.#shut("it was closed by its own side", undefined));
    // Which has an effect only if the stream has not ended.
    this.#life.end(() => this.#source.stop(undefined));
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The source has a chunk at hand. @internal */
  _arrived(): void {
    while (this._receivers.first !== undefined) {
      if (!this.#source.hasChunk) {
        this._asked();
        return;
      }
      // Not the one from above: a stream that is read runs foreign code, which may have cancelled that.
      this._receivers.first?.wake({ done: false, value: this.#source.take() });
    }
    this.#life.isBusy = false;
  }

  /** No chunk will follow the one at hand: the stream is at its end, or has failed. @internal */
  _ended(failure: Failure | undefined): void {
    if (this.#last !== undefined) return;
    this.#last = () => {
      if (failure !== undefined) throw failure.error;
      return END;
    };
    if (failure !== undefined) this._receivers.failAll(failure.error);
    else this._receivers.wakeAll(END);
    this.#source.detach();
    this.#life.end();
  }

  /** First come, first served: also a chunk that is at hand belongs to who waits already. @internal */
  _isReady(): boolean {
    return this._receivers.first === undefined && (this.#last !== undefined || this.#source.hasChunk);
  }

  /** @internal */
  _take(): Item<T> {
    if (!this.#isClosed && this.#source.hasChunk) return { done: false, value: this.#source.take() };
    return (this.#last as () => Item<T>)();
  }

  /** @internal */
  _asked(): void {
    this.#life.isBusy = true;
    this.#source.request();
  }

  /** @internal */
  _endOfItems(): EndOfChannel {
    return new EndOfChannel("the stream is at its end");
  }

  /** No wait: its scope is not left before the stream has let go. @internal */
  _leave(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #shut(why: string, cause: unknown): ClosedResourceError {
    this.#isClosed = true;
    const message = `this channel from a stream cannot receive any more: ${why}`;
    const error = new ClosedResourceError(message, cause === undefined ? undefined : { cause });
    this.#last = () => {
      throw error;
    };
    return error;
  }
}
