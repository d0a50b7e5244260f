import type { Readable } from "node:stream";
import { type Source, StreamReceiveChannel } from "../bridges/stream-receive-channel.js";
import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import type { Cancellable } from "../kernel/types.js";
import { destroyed } from "./destroyed.js";
import { watchEnd } from "./watch-end.js";

/** Also the scope in which the channel lives: a scope itself, or its `signal`. */
export interface FromReadableOptions extends Cancellable {
  /** `true`: the stream is not destroyed when the channel is closed or left with its scope; only our listeners are removed. Default `false`. */
  readonly preventCancel?: boolean | undefined;
}

/**
 * Receives from a `Readable` of Node: it is read when somebody receives. What it reads ahead is up to its own `highWaterMark`. In byte mode one receives what is
 * there, in pieces of any size; in object mode one object.
 *
 * The end of the stream is the end of the channel; an error of the stream, also one from before the first `receive`, is thrown where one receives. Closing the
 * channel, as leaving a loop early does, destroys the stream. So does the end of the scope in which the channel lives, the one that is passed or the ambient
 * one; and it is not left before the stream is closed.
 *
 * Pitfall: destroying one half of a `Duplex`, a socket for example, destroys the other half too. With `preventCancel` it stays as it is.
 *
 * @typeParam T what the stream yields, which its type does not tell
 * @param stream one that nobody else reads: no `"data"` listener, no `pipe`
 * @throws TypeError if `stream` is no `Readable`; UsageError if somebody else reads it already
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example for await (const chunk of fromReadable(createReadStream(path))) await store(chunk);
 */
export function fromReadable<T = Buffer>(stream: Readable, options?: FromReadableOptions): StreamReceiveChannel<T> {
  if (typeof stream?.read !== "function" || typeof stream.destroy !== "function") {
    throw new TypeError(
      `fromReadable() takes a Readable of Node, not ${describe(stream)}. For a ReadableStream there is fromReadableStream() of creche`,
    );
  }
  if (stream.readableFlowing === true) {
    throw new UsageError(
      "fromReadable() takes a stream that nobody else reads, and this one flows already: it has a `data` listener, is piped, or was resumed",
    );
  }
  const preventCancel = options?.preventCancel === true;
  return new StreamReceiveChannel("fromReadable", options, (channel) => new ReadableSource(stream, channel, preventCancel));
}

class ReadableSource<T> implements Source<T> {
  readonly #stream: Readable;
  readonly #channel: StreamReceiveChannel<T>;
  readonly #preventCancel: boolean;
  readonly #stopWatching: () => void;
  readonly #onReadable = () => this.#channel._arrived();
  #isListening = false;
  #chunk: { readonly value: T } | undefined = undefined;

  constructor(stream: Readable, channel: StreamReceiveChannel<T>, preventCancel: boolean) {
    this.#stream = stream;
    this.#channel = channel;
    this.#preventCancel = preventCancel;
    this.#stopWatching = watchEnd(stream, "readable", (error) => channel._ended(error && { error }));
  }

  /** Takes it out of the stream's own buffer: only then it is certain that there is one. */
  get hasChunk(): boolean {
    const stream = this.#stream;
    if (this.#chunk === undefined && stream.readableLength > 0 && !stream.destroyed) {
      const value: T | null = stream.read();
      if (value !== null) this.#chunk = { value };
    }
    return this.#chunk !== undefined;
  }

  take(): T {
    const { value } = this.#chunk as { readonly value: T };
    this.#chunk = undefined;
    return value;
  }

  request(): void {
    // It begins to read when somebody listens. That it has come to its end it tells only who reads on.
    if (this.#isListening) this.#stream.read(0);
    else this.#stream.on("readable", this.#onReadable);
    this.#isListening = true;
  }

  stop(): Promise<void> | undefined {
    this.detach();
    if (!this.#preventCancel) return destroyed(this.#stream);
    if (this.#chunk !== undefined) this.#stream.unshift(this.take());
    return undefined;
  }

  detach(): void {
    this.#stopWatching();
    this.#stream.off("readable", this.#onReadable);
  }
}
