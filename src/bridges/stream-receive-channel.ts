/// <reference lib="esnext.disposable" preserve="true" />

import type { ValuesOptions } from "../channels/memory-receive-channel.js";
import { ClosedResourceError, EndOfChannel } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { QueueWaiter, WaitQueue } from "../kernel/wait-queue.js";
import { StreamScope } from "./stream-scope.js";

/** A stream that is read, as a channel needs it. */
export interface Source<T> {
  /** Whether a chunk is at hand: it has been read, and nobody has received it. Asking may run code of the user. */
  readonly hasChunk: boolean;
  /** The chunk at hand. The caller has asked `hasChunk`. */
  take(): T;
  /** Has the stream read. `arrived` or `ended` is called then, never before this returns. Asking again meanwhile has no effect. */
  request(): void;
  /** Lets go of a stream that has not ended. Its scope is not left before that is done. */
  stop(reason: unknown): Awaitable<unknown>;
  /** Lets go of a stream that has ended. */
  detach(): void;
}

/**
 * What comes out of a stream, as from the receive end of a channel; made by `fromReadableStream`, and by `fromReadable` of `creche/node`.
 *
 * The stream is read when somebody receives, never ahead. A chunk that was read for a `receive` that has been cancelled is kept for the next one.
 * Iterating takes chunks until the end; leaving the loop early closes it.
 *
 * It lives in the scope in which it was made: when that is cancelled or left, it is closed. The scope is not left before the stream has let go.
 *
 * Source: trio.abc.ReceiveChannel.
 */
export class StreamReceiveChannel<T> implements AsyncIterable<T>, Selectable<T>, Disposable {
  readonly #scope: StreamScope;
  readonly #source: Source<T>;
  /** Nobody waits here while a chunk is at hand that has been told of. */
  readonly #receivers = new WaitQueue<T>("receive", this);
  /** How every `receive` ends once no chunk is at hand, when that is known. */
  #over: { readonly error: unknown } | undefined = undefined;
  #isClosed = false;

  /** @internal */
  constructor(name: string, where: Cancellable | undefined, open: (channel: StreamReceiveChannel<T>) => Source<T>) {
    this.#scope = new StreamScope(name, where);
    try {
      this.#source = open(this);
    } catch (error) {
      this.#scope.end();
      throw error;
    }
    this.#scope.begin((reason) => {
      const error = this.#shut(`${name}() was called in a scope that has been cancelled or left meanwhile`, reason);
      this.#scope.endCancelled(
        () => this.#receivers.failAll(error),
        () => this.#source.stop(reason),
      );
    });
  }

  /**
   * Waits for a chunk, and takes it. A full checkpoint, also if one is there. Receivers are served in order of arrival. A cancelled `receive` has taken
   * nothing; one that was done before the cancellation delivers its chunk.
   *
   * @throws EndOfChannel at the end of the stream
   * @throws ClosedResourceError if this is closed, also meanwhile
   * @throws the stream's own error, that very object, each time once it has failed
   */
  receive(scope?: Cancellable): Promise<T> {
    return operate(scope, receiveIn<T>, this);
  }

  /** `select` takes it as one of its cases: it receives. */
  [selectable](): Alternative<T> {
    return {
      isReady: () => this.#isReady,
      take: () => this.#take(),
      enlist: (choice) => {
        const enlisted = enlistIn(this.#receivers, undefined, choice);
        this.#request();
        return enlisted;
      },
    };
  }

  /** Iterates as the channel itself does, with options: the scope in which it waits, and whether leaving the loop early closes it. */
  values(options?: ValuesOptions): AsyncIterableIterator<T, undefined> {
    return new StreamIterator(this, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.values();
  }

  /**
   * Closes it; idempotent, no checkpoint. Calls that wait on it throw `ClosedResourceError`. A stream that has not ended is cancelled, or destroyed;
   * what goes wrong then fails the nursery around it.
   */
  close(): void {
    if (this.#isClosed) return;
    const isOver = this.#over !== undefined;
    this.#receivers.failAll(this.#shut("it was closed by its own side", undefined));
    if (!isOver) this.#scope.end(() => this.#source.stop(undefined));
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
    while (this.#receivers.first !== undefined) {
      if (!this.#source.hasChunk) {
        this.#request();
        return;
      }
      // Not the one from above: a stream that is read runs foreign code, which may have cancelled that.
      this.#receivers.first?.wake(this.#source.take());
    }
    this.#scope.isBusy = false;
  }

  /** No chunk will follow those at hand: the stream is at its end, or has failed. @internal */
  _ended(error: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = { error };
    this.#receivers.failAll(error);
    this.#source.detach();
    this.#scope.end();
  }

  /** @internal */
  _receive(scope: CancelScope): Promise<T> {
    return this.#isReady
      ? scope._runtime.pause(scope, "receive", this, this.#take())
      : this.#wait(new QueueWaiter(this.#receivers, undefined), scope);
  }

  /** As `_receive`, as an iterator tells it. @internal */
  _next(scope: CancelScope): Promise<IteratorResult<T, undefined>> {
    if (!this.#isReady)
      return this.#wait(new NextWaiter(this.#receivers, undefined), scope) as Promise<unknown> as Promise<IteratorResult<T, undefined>>;
    const isAtEnd = !this.#source.hasChunk && this.#over?.error instanceof EndOfChannel;
    return scope._runtime.pause(scope, "receive", this, isAtEnd ? END : { done: false, value: this.#take() });
  }

  /** First come, first served: also a chunk that is at hand belongs to who waits already. */
  get #isReady(): boolean {
    return this.#receivers.first === undefined && (this.#over !== undefined || this.#source.hasChunk);
  }

  #take(): T {
    if (!this.#isClosed && this.#source.hasChunk) return this.#source.take();
    throw (this.#over as { readonly error: unknown }).error;
  }

  #wait(waiter: QueueWaiter<T>, scope: CancelScope): Promise<T> {
    this.#receivers._append(waiter);
    const promise = scope._park(waiter);
    this.#request();
    return promise;
  }

  #request(): void {
    this.#scope.isBusy = true;
    this.#source.request();
  }

  #shut(why: string, cause: unknown): ClosedResourceError {
    this.#isClosed = true;
    const message = `this channel from a stream cannot receive any more: ${why}`;
    const error = new ClosedResourceError(message, cause === undefined ? undefined : { cause });
    this.#over = { error };
    return error;
  }
}

function receiveIn<T>(scope: CancelScope, channel: StreamReceiveChannel<T>): Promise<T> {
  return channel._receive(scope);
}

const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** Waits for a chunk as an iterator tells it: the end of the stream is a result. */
class NextWaiter<T> extends QueueWaiter<T> {
  override _end(outcome: unknown, failed: boolean): boolean {
    if (!failed) return super._end({ done: false, value: outcome }, false);
    return outcome instanceof EndOfChannel ? super._end(END, false) : super._end(outcome, true);
  }
}

class StreamIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #channel: StreamReceiveChannel<T>;
  readonly #options: ValuesOptions | undefined;

  constructor(channel: StreamReceiveChannel<T>, options: ValuesOptions | undefined) {
    this.#channel = channel;
    this.#options = options;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return operate(this.#options, nextIn<T>, this.#channel);
  }

  /** The loop is left early. No checkpoint: it must not throw over what it is left with. The scope of the stream waits until that has let go. */
  return(): Promise<IteratorResult<T, undefined>> {
    if (this.#options?.preventCancel !== true) this.#channel.close();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function nextIn<T>(scope: CancelScope, channel: StreamReceiveChannel<T>): Promise<IteratorResult<T, undefined>> {
  return channel._next(scope);
}
