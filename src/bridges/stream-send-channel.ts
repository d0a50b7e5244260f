/// <reference lib="esnext.disposable" preserve="true" />

import { ClosedResourceError, UsageError } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { StreamLife } from "./stream-life.js";

/** A stream that is written to, as a channel needs it. */
export interface Sink<T> {
  /** Whether an abort leaves the stream as it is. Then it is no mistake to leave it without `close`. */
  readonly isKept: boolean;
  /** Whether the stream wants more. */
  readonly hasRoom: boolean;
  /** Throws if the stream would refuse the value. Without an effect. */
  check?(value: T): void;
  /** Writes a value. The caller has asked `hasRoom`. Does not throw; runs code of the user. */
  write(value: T): void;
  /** Has `roomy` called, never before this returns, once there is room. Asking again meanwhile has no effect. */
  awaitRoom(): void;
  /** Ends the stream, unless it is to be kept. Resolves when all that was written has been dealt with, and rejects as the stream fails. */
  close(): Promise<unknown>;
  /** Lets go of a stream that has not ended. Its scope is not left before that is done. */
  abort(reason: unknown): Awaitable<unknown>;
  /** Lets go of a stream that has been closed, or has failed. */
  detach(): void;
}

/**
 * What goes into a stream, as into the send end of a channel; made by `fromWritableStream`, and by `fromWritable` of `creche/node`.
 *
 * A `send` waits until the stream wants more, then writes. What the stream does with it is told later: its error is thrown by the sends that follow,
 * and at last by `close`, which waits until all has been dealt with. **A stream is complete when `await close()` is.** Everything else breaks it off.
 *
 * It lives in the scope in which it was made: when that is cancelled or left before, the stream is aborted, and the scope is not left before it has let go.
 *
 * Source: trio.abc.SendChannel.
 */
export class StreamSendChannel<T> implements Disposable {
  readonly #life: StreamLife;
  readonly #sink: Sink<T>;
  /** Somebody waits here only while the stream has no room. */
  readonly #senders: WaitQueue<void, T> = new WaitQueue("send", this);
  readonly #closers = new WaitQueue<void>("close", this);
  /** What every call throws, once there is something to throw. */
  #over: { readonly error: unknown } | undefined = undefined;
  #isClosed = false;
  /** `close` has done its work. */
  #isComplete = false;
  /** The stream's own error, until somebody has been told. */
  #untold: { readonly error: unknown } | undefined = undefined;

  /** @internal */
  constructor(name: string, where: Cancellable | undefined, open: (channel: StreamSendChannel<T>) => Sink<T>) {
    this.#life = new StreamLife(name, where);
    try {
      this.#sink = open(this);
    } catch (error) {
      this.#life.end();
      throw error;
    }
    this.#life.begin((reason) => this.#left(name, reason));
  }

  /**
   * Waits until the stream wants more, then writes the value. A full checkpoint, also if there is room. Senders are served in order of arrival.
   * A cancelled `send` has not written; one that was done before the cancellation does not throw.
   *
   * @throws ClosedResourceError if this has been closed or aborted, also meanwhile
   * @throws TypeError if the stream cannot take such a value
   * @throws the stream's own error, that very object, each time once it has failed
   */
  send(value: T, scope?: Cancellable): Promise<void> {
    return operate(scope, sendIn<T>, this, value);
  }

  /** `send(value)` as one of the cases of a `select`. */
  sending(value: T): Selectable<void> {
    const alternative: Alternative<void> = {
      isReady: () => {
        this.#sink.check?.(value);
        return this.#over !== undefined || this.#isClosed || this.#hasRoom;
      },
      take: () => {
        this.#requireOpen();
        this.#sink.write(value);
      },
      enlist: (choice) => {
        const enlisted = enlistIn(this.#senders, value, choice);
        this.#awaitRoom();
        return enlisted;
      },
    };
    return { [selectable]: () => alternative };
  }

  /**
   * Ends the stream, and waits until it has dealt with all that was written. A full checkpoint. Calls that wait to send throw `ClosedResourceError`.
   * Calling it again waits for the same. If it is cancelled, the stream goes on to end, until its scope ends, which aborts it.
   *
   * @throws the stream's own error
   * @throws ClosedResourceError if it was aborted
   */
  close(scope?: Cancellable): Promise<void> {
    return operate(scope, closeIn<T>, this);
  }

  /**
   * Breaks the stream off, unless it has been closed; idempotent, no checkpoint. What waits on it throws `ClosedResourceError`. What goes wrong then, and an error of
   * the stream that nobody was told of, fails the nursery around it.
   */
  abort(reason?: unknown): void {
    if (this.#untold !== undefined) this.#failUntold();
    else if (!this.#isComplete && this.#over === undefined) {
      const error = this.#shut("it was aborted by its own side", reason);
      this.#failWaiting(error);
      this.#life.end(() => this.#sink.abort(reason));
    }
  }

  /** As `abort`, because it cannot see an error that is on its way: for `using`. End the block with `await close()`. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** Whether it has been closed or aborted. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The stream wants more. @internal */
  _roomy(): void {
    for (let first = this.#senders.first; first !== undefined; first = this.#senders.first) {
      if (!this.#sink.hasRoom) {
        this.#awaitRoom();
        return;
      }
      // In this order: what the stream does with it may cancel the sender, who has sent.
      first.wake();
      this.#sink.write(first.what);
    }
    if (!this.#isClosed) this.#life.isBusy = false;
  }

  /** The stream has failed. @internal */
  _broke(error: unknown): void {
    if (this.#over !== undefined || this.#isComplete) return;
    this.#over = { error };
    const isTold = this.#senders.size + this.#closers.size > 0;
    this.#failWaiting(error);
    this.#sink.detach();
    // Otherwise its scope stays, to tell of it at the latest when it is left.
    if (isTold) this.#life.end();
    else this.#untold = { error };
  }

  /** @internal */
  _send(scope: CancelScope, value: T): Promise<void> {
    this.#requireOpen();
    this.#sink.check?.(value);
    if (this.#hasRoom) {
      this.#sink.write(value);
      return scope._runtime.pause(scope, "send", this);
    }
    const promise = this.#senders.wait(scope, value);
    this.#awaitRoom();
    return promise;
  }

  /** @internal */
  _close(scope: CancelScope): Promise<void> {
    if (this.#over !== undefined) this.#requireOpen();
    if (this.#isComplete) return scope._runtime.pause(scope, "close", this);
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#life.isBusy = true;
      this.#senders.failAll(closed("it was closed by its own side"));
      this.#sink.close().then(
        () => this.#completed(),
        (error) => this._broke(error),
      );
    }
    return this.#closers.wait(scope, undefined);
  }

  /** First come, first served. */
  get #hasRoom(): boolean {
    return this.#senders.first === undefined && this.#sink.hasRoom;
  }

  #awaitRoom(): void {
    this.#life.isBusy = true;
    this.#sink.awaitRoom();
  }

  #requireOpen(): void {
    if (this.#over !== undefined) {
      if (this.#untold !== undefined) {
        this.#untold = undefined;
        this.#life.end();
      }
      throw this.#over.error;
    }
    if (this.#isClosed) throw closed("it was closed by its own side");
  }

  #completed(): void {
    if (this.#over !== undefined) return;
    this.#isComplete = true;
    this.#sink.detach();
    this.#closers.wakeAll();
    this.#life.end();
  }

  #shut(why: string, cause: unknown): ClosedResourceError {
    const error = closed(why, cause);
    this.#isClosed = true;
    this.#over = { error };
    return error;
  }

  #failWaiting(error: unknown): void {
    this.#senders.failAll(error);
    this.#closers.failAll(error);
  }

  /** The scope in which it lives has been cancelled, or is left. */
  #left(name: string, reason: unknown): void {
    if (this.#untold !== undefined) {
      this.#failUntold();
      return;
    }
    if (this.#life.wasForgotten && !this.#sink.isKept) {
      const advice = "Close it when all has been sent, or say abort()";
      this.#life.fail(
        new UsageError(`what ${name}() made was left without \`await close()\`, so the stream was aborted, and is not complete. ${advice}`),
      );
    }
    const error = this.#shut(`${name}() was called in a scope that has been cancelled or left meanwhile`, reason);
    this.#life.endCancelled(
      () => this.#failWaiting(error),
      () => this.#sink.abort(reason),
    );
  }

  #failUntold(): void {
    this.#life.fail((this.#untold as { readonly error: unknown }).error);
    this.#untold = undefined;
    this.#life.end();
  }
}

function sendIn<T>(scope: CancelScope, channel: StreamSendChannel<T>, value: T): Promise<void> {
  return channel._send(scope, value);
}

function closeIn<T>(scope: CancelScope, channel: StreamSendChannel<T>): Promise<void> {
  return channel._close(scope);
}

function closed(why: string, cause?: unknown): ClosedResourceError {
  const message = `this channel into a stream cannot send any more: ${why}`;
  return new ClosedResourceError(message, cause === undefined ? undefined : { cause });
}
