import { describe } from "../kernel/describe.js";
import { quiet } from "../kernel/quiet.js";
import type { Cancellable } from "../kernel/types.js";
import { type Sink, StreamSendChannel } from "./stream-send-channel.js";

/** Also the scope in which the channel lives: a scope itself, or its `signal`. */
export interface FromWritableStreamOptions extends Cancellable {
  /** `true`: `close()` waits until all that was written has been dealt with, but leaves the stream open. Default `false`. */
  readonly preventClose?: boolean | undefined;
  /** `true`: the stream is not aborted when the channel is aborted or left with its scope; only its lock is released. Default `false`. */
  readonly preventAbort?: boolean | undefined;
}

/**
 * Sends into a `WritableStream`: a `send` waits until the stream wants more, then writes. The stream stays locked until the channel is closed or aborted.
 *
 * The stream is complete when `await close()` is. An error of the stream is thrown by the sends that follow, and at last by `close`. If nobody was told of it,
 * it fails the nursery around. When the scope in which the channel lives, the one that is passed or the ambient one, is cancelled or left before, the stream is aborted,
 * and the scope is not left before it has let go.
 *
 * Pitfall: forgetting `await close()` is a `UsageError` that fails the nursery, because the stream was cut off. With `preventAbort` it is none.
 *
 * @throws TypeError if `stream` is no `WritableStream`, or is locked
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example
 * const out = fromWritableStream(file.writable);
 * for await (const line of lines) await out.send(line);
 * await out.close();
 */
export function fromWritableStream<T>(stream: WritableStream<T>, options?: FromWritableStreamOptions): StreamSendChannel<T> {
  if (typeof stream?.getWriter !== "function") {
    throw new TypeError(
      `fromWritableStream() takes a WritableStream, not ${describe(stream)}. For the streams of Node there is fromWritable() of creche/node`,
    );
  }
  const { preventClose, preventAbort } = options ?? {};
  const open = (channel: StreamSendChannel<T>) => new WriterSink(stream.getWriter(), channel, preventClose === true, preventAbort === true);
  return new StreamSendChannel("fromWritableStream", options, open);
}

class WriterSink<T> implements Sink<T> {
  readonly #writer: WritableStreamDefaultWriter<T>;
  readonly #channel: StreamSendChannel<T>;
  readonly #preventClose: boolean;
  readonly #preventAbort: boolean;
  #isAwaiting = false;
  /** The write that was begun last: when it is done, all are. */
  #lastWrite: Promise<void> | undefined = undefined;

  constructor(writer: WritableStreamDefaultWriter<T>, channel: StreamSendChannel<T>, preventClose: boolean, preventAbort: boolean) {
    this.#writer = writer;
    this.#channel = channel;
    this.#preventClose = preventClose;
    this.#preventAbort = preventAbort;
    // Seen also while nobody sends.
    writer.closed.catch((error) => channel._broke(error));
  }

  get isKept(): boolean {
    return this.#preventAbort;
  }

  get hasRoom(): boolean {
    return (this.#writer.desiredSize ?? 0) > 0;
  }

  write(value: T): void {
    this.#lastWrite = this.#writer.write(value);
    // Its error is the stream's, which tells of it.
    quiet(this.#lastWrite);
  }

  awaitRoom(): void {
    if (this.#isAwaiting) return;
    this.#isAwaiting = true;
    this.#writer.ready.then(
      () => {
        this.#isAwaiting = false;
        this.#channel._roomy();
      },
      (error) => this.#channel._broke(error),
    );
  }

  async close(): Promise<void> {
    await (this.#preventClose ? this.#lastWrite : this.#writer.close());
  }

  async abort(reason: unknown): Promise<void> {
    try {
      if (!this.#preventAbort) await this.#writer.abort(reason);
    } finally {
      this.detach();
    }
  }

  detach(): void {
    this.#writer.releaseLock();
  }
}
