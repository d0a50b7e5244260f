import type { Writable } from "node:stream";
import { type Sink, StreamSendChannel } from "../bridges/stream-send-channel.js";
import { describe } from "../kernel/describe.js";
import { BrokenResourceError } from "../kernel/errors.js";
import type { Cancellable } from "../kernel/types.js";
import { destroyed } from "./destroyed.js";
import { watchEnd } from "./watch-end.js";

/** Also the scope in which the channel lives: a scope itself, or its `signal`. */
export interface FromWritableOptions extends Cancellable {
  /** `true`: `close()` waits until all that was written has been dealt with, but does not end the stream. Default `false`. */
  readonly preventClose?: boolean | undefined;
  /** `true`: the stream is not destroyed when the channel is aborted or left with its scope; only our listeners are removed. Default `false`. */
  readonly preventAbort?: boolean | undefined;
}

/**
 * Sends into a `Writable` of Node: a `send` waits while the stream asks to (`writableNeedDrain`), then writes.
 *
 * The stream is complete when `await close()` is: it has been ended, and has finished. An error of the stream is thrown by the sends that follow, and at last by
 * `close`. If nobody was told of it, it fails the nursery around. When the scope in which the channel lives, the one that is passed or the ambient one, is
 * cancelled or left before, the stream is destroyed, and the scope is not left before it is closed.
 *
 * Pitfall: forgetting `await close()` is a `UsageError` that fails the nursery, because the stream was cut off. With `preventAbort` it is none.
 *
 * @typeParam T what the stream takes, which its type does not tell
 * @throws TypeError if `stream` is no `Writable`
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example
 * const out = fromWritable(createWriteStream(path));
 * for await (const line of lines) await out.send(line);
 * await out.close();
 */
export function fromWritable<T = string | Uint8Array>(stream: Writable, options?: FromWritableOptions): StreamSendChannel<T> {
  if (typeof stream?.write !== "function" || typeof stream.destroy !== "function") {
    throw new TypeError(
      `fromWritable() takes a Writable of Node, not ${describe(stream)}. For a WritableStream there is fromWritableStream() of creche`,
    );
  }
  const { preventClose, preventAbort } = options ?? {};
  const open = (channel: StreamSendChannel<T>) => new WritableSink(stream, channel, preventClose === true, preventAbort === true);
  return new StreamSendChannel("fromWritable", options, open);
}

class WritableSink<T> implements Sink<T> {
  readonly #stream: Writable;
  readonly #channel: StreamSendChannel<T>;
  readonly #preventClose: boolean;
  readonly #preventAbort: boolean;
  readonly #stopWatching: () => void;
  readonly #onDrain = () => this.#channel._roomy();
  readonly #onWritten = (error: Error | null | undefined) => {
    this.#unwritten--;
    // Of an error the stream tells itself.
    if (!error && this.#unwritten === 0) this.#flushed?.();
  };
  #isListening = false;
  /** How many writes have not been dealt with. */
  #unwritten = 0;
  #flushed: (() => void) | undefined = undefined;
  #finished: (() => void) | undefined = undefined;

  constructor(stream: Writable, channel: StreamSendChannel<T>, preventClose: boolean, preventAbort: boolean) {
    this.#stream = stream;
    this.#channel = channel;
    this.#preventClose = preventClose;
    this.#preventAbort = preventAbort;
    this.#stopWatching = watchEnd(stream, "writable", (error) => {
      if (error === undefined && this.#finished !== undefined) this.#finished();
      else
        channel._broke(
          error ?? new BrokenResourceError("the stream has been ended by somebody else, so nothing can be sent into it any more"),
        );
    });
  }

  get isKept(): boolean {
    return this.#preventAbort;
  }

  get hasRoom(): boolean {
    return !this.#stream.writableNeedDrain;
  }

  check(value: T): void {
    const isObject = this.#stream.writableObjectMode;
    if (isObject ? value !== null : typeof value === "string" || ArrayBuffer.isView(value)) return;
    throw new TypeError(
      isObject
        ? "a stream of Node takes no null: it means the end"
        : `this stream takes strings, buffers and typed arrays, not ${describe(value)}. One in object mode takes everything`,
    );
  }

  write(value: T): void {
    this.#unwritten++;
    try {
      this.#stream.write(value, this.#onWritten);
    } catch (error) {
      // What the stream does with it is told later, also if it is done at once.
      this.#stream.destroy(error as Error);
    }
  }

  awaitRoom(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#stream.on("drain", this.#onDrain);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#preventClose) {
        this.#finished = resolve;
        this.#stream.end();
      } else if (this.#unwritten === 0) resolve();
      else this.#flushed = resolve;
    });
  }

  abort(): Promise<void> | undefined {
    this.detach();
    return this.#preventAbort ? undefined : destroyed(this.#stream);
  }

  detach(): void {
    this.#stopWatching();
    this.#stream.off("drain", this.#onDrain);
  }
}
