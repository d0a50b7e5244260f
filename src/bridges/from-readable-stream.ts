import { describe } from "../kernel/describe.js";
import type { Cancellable } from "../kernel/types.js";
import { type Failure, type Source, StreamReceiveChannel } from "./stream-receive-channel.js";

/** Also the scope in which the channel lives: a scope itself, or its `signal`. */
export interface FromReadableStreamOptions extends Cancellable {
  /** `true`: the stream is not cancelled when the channel is closed or left with its scope; only its lock is released. Default `false`. */
  readonly preventCancel?: boolean | undefined;
}

/**
 * Receives from a `ReadableStream`: a chunk is read when somebody receives, and none ahead. The stream stays locked until the channel is closed,
 * or the stream has ended.
 *
 * The end of the stream is the end of the channel; an error of the stream is thrown where one receives. Closing the channel, as leaving a loop early does,
 * cancels the stream. So does the end of the scope in which the channel lives, the one that is passed or the ambient one; and it
 * is not left before the stream has let go. What the stream's own `cancel` throws then fails the nursery around.
 *
 * A chunk that was read for a `receive` that has been cancelled is kept for the next one.
 *
 * Pitfall: with `preventCancel`, such a chunk is gone from the stream when the channel is closed.
 *
 * @throws TypeError if `stream` is no `ReadableStream`, or is locked
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example for await (const chunk of fromReadableStream(response.body)) await store(chunk);
 */
export function fromReadableStream<T>(stream: ReadableStream<T>, options?: FromReadableStreamOptions): StreamReceiveChannel<T> {
  if (typeof stream?.getReader !== "function") {
    throw new TypeError(
      `fromReadableStream() takes a ReadableStream, not ${describe(stream)}. For the streams of Node there is fromReadable() of creche/node`,
    );
  }
  const preventCancel = options?.preventCancel === true;
  return new StreamReceiveChannel("fromReadableStream", options, (channel) => new ReaderSource(stream.getReader(), channel, preventCancel));
}

class ReaderSource<T> implements Source<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  readonly #channel: StreamReceiveChannel<T>;
  readonly #preventCancel: boolean;
  #chunk: { readonly value: T } | undefined = undefined;
  /** Set from `request` until its answer. There is never more than one read under way, so chunks come in their order. */
  #isReading = false;
  /** How the stream has ended, as soon as that is known. */
  #end: { readonly failure: Failure | undefined } | undefined = undefined;

  constructor(reader: ReadableStreamDefaultReader<T>, channel: StreamReceiveChannel<T>, preventCancel: boolean) {
    this.#reader = reader;
    this.#channel = channel;
    this.#preventCancel = preventCancel;
    // Seen also while nobody receives: what has ended is not to be cancelled afterwards.
    reader.closed.then(
      () => this.#ended(undefined),
      (error) => this.#ended({ error }),
    );
  }

  get hasChunk(): boolean {
    return this.#chunk !== undefined;
  }

  take(): T {
    const { value } = this.#chunk as { readonly value: T };
    this.#chunk = undefined;
    return value;
  }

  request(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#reader.read().then(
      ({ done, value }) => {
        this.#isReading = false;
        if (done) {
          this.#ended(undefined);
          return;
        }
        this.#chunk = { value: value as T };
        this.#channel._arrived();
        if (this.#end !== undefined) this.#ended(this.#end.failure);
      },
      (error) => {
        this.#isReading = false;
        this.#ended({ error });
      },
    );
  }

  async stop(reason: unknown): Promise<void> {
    try {
      if (!this.#preventCancel) await this.#reader.cancel(reason);
    } catch (error) {
      // The stream's own error is for who receives from it, and nobody does any more.
      if (error !== this.#end?.failure?.error) throw error;
    } finally {
      this.detach();
    }
  }

  detach(): void {
    this.#reader.releaseLock();
  }

  /** A chunk that is on its way comes first. */
  #ended(failure: Failure | undefined): void {
    this.#end ??= { failure };
    if (!this.#isReading) this.#channel._ended(this.#end.failure);
  }
}
