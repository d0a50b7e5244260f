import { Readable } from "node:stream";
import { type ReceiveEnd, requireReceiveEnd } from "../bridges/channel-ends.js";
import { StreamLife } from "../bridges/stream-life.js";
import { report } from "../kernel/deliver.js";
import { EndOfChannel } from "../kernel/errors.js";
import type { Cancellable } from "../kernel/types.js";
import { ignore } from "./destroyed.js";

/** Also the scope in which the stream lives: a scope itself, or its `signal`. */
export interface ToReadableOptions extends Cancellable {
  /** `false`: a stream of bytes, from strings, buffers and typed arrays. Default `true`: of whatever the channel carries, except `null` and `undefined`. */
  readonly objectMode?: boolean | undefined;
  /** `true`: the end stays open when the stream is destroyed, or is left with its scope. Default `false`. */
  readonly preventCancel?: boolean | undefined;
}

/**
 * A `Readable` of Node of what comes out of a channel, for code that takes streams: `pipeline(stream, createGzip(), response)`.
 *
 * It receives an item when one is read, and none ahead: what is on its way is bounded by the capacity of the channel alone.
 * The end of the channel is the end of the stream. Destroying the stream closes the receive end, so producers get `BrokenResourceError`.
 *
 * It lives in a scope: the one that is passed, or the ambient one. When that is cancelled, or left, before the end, the stream is destroyed with
 * the `Cancelled`, which is not an uncaught error if nobody listens for it, and the receive end is closed.
 *
 * Pitfall: with `preventCancel`, an item that has been received and not been read is gone when the stream is destroyed, as all that a stream holds. It is one at most.
 *
 * @throws TypeError if `receive` is no receive end
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example await pipeline(toReadable(lines), createGzip(), createWriteStream(path), { signal: scope.signal });
 */
export function toReadable<T>(receive: ReceiveEnd<T>, options?: ToReadableOptions): Readable {
  requireReceiveEnd(receive, "toReadable()");
  const { objectMode = true, preventCancel } = options ?? {};
  const life = new StreamLife("toReadable", options);
  const close = () => {
    if (preventCancel !== true) receive.close();
  };
  const isNothing = (item: T) => !objectMode && (item as Partial<Uint8Array> | undefined)?.length === 0;
  const pull = async () => {
    try {
      let item = await receive.receive(life.scope);
      // After nothing, a stream of bytes would not ask again.
      while (isNothing(item)) item = await receive.receive(life.scope);
      if (item === null || item === undefined) throw new TypeError(`a stream of Node carries no ${item}: null means its end`);
      if (!life.isOver) push(stream, item);
    } catch (error) {
      if (error instanceof EndOfChannel && !life.isOver) {
        life.end();
        push(stream, null);
      } else stream.destroy(error as Error);
    }
  };
  const stream = new Readable({
    objectMode,
    highWaterMark: 0,
    read() {
      void pull();
    },
    destroy(error, callback) {
      // It is, after its end: then there is nothing to close.
      if (!life.isOver) {
        life.end();
        close();
      }
      callback(error);
    },
  });
  life.begin((reason) => {
    life.endCancelled(close);
    stream.on("error", ignore);
    stream.destroy(reason);
  });
  return stream;
}

/** Runs listeners of the user. What they throw is uncaught, as it is in any emitter, and is no failure of the stream. */
function push(stream: Readable, item: unknown): void {
  try {
    stream.push(item);
  } catch (error) {
    report(error);
  }
}
