import { nextTick } from "node:process";
import { Writable } from "node:stream";
import { requireSendEnd, type SendEnd } from "../bridges/channel-ends.js";
import { StreamLife } from "../bridges/stream-life.js";
import type { Cancellable } from "../kernel/types.js";
import { ignore } from "./destroyed.js";

/** Also the scope in which the stream lives: a scope itself, or its `signal`. */
export interface ToWritableOptions extends Cancellable {
  /** `false`: a stream of bytes, which sends buffers, also for strings. Default `true`: what is written is sent as it is. */
  readonly objectMode?: boolean | undefined;
  /** `true`: the send end stays open, however the stream ends: for what is yet to be sent by others. Default `false`. */
  readonly preventClose?: boolean | undefined;
}

/**
 * A `Writable` of Node that sends what is written into a channel, for code that takes streams: `pipeline(request, stream)`.
 *
 * A write is done when its chunk has been sent, and the stream wants no second one before. Ending the stream closes the send end, so receivers see the
 * end of the channel. If all receive ends are closed, a write fails with `BrokenResourceError`, and so does the stream.
 *
 * It lives in a scope: the one that is passed, or the ambient one. When that is cancelled, or left, before the stream has finished, the stream is
 * destroyed with the `Cancelled`, which is not an uncaught error if nobody listens for it, and the send end is closed.
 *
 * Destroying the stream before it has finished **fails the nursery** around that scope, with the error, as a failing task would: receivers in it are
 * cancelled, and only then the send end is closed. A channel cannot carry an error, and what was cut off must not look complete.
 *
 * Pitfall: to receivers outside of what is cancelled, the closed end is the end of the channel. Pass the nursery in which they run.
 *
 * @throws TypeError if `send` is no send end
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example nursery.startSoon((task) => pipeline(request, toWritable(send, nursery), { signal: task.signal }));
 */
export function toWritable<T>(send: SendEnd<T>, options?: ToWritableOptions): Writable {
  requireSendEnd(send, "toWritable()");
  const { objectMode = true, preventClose } = options ?? {};
  const life = new StreamLife("toWritable", options);
  const close = () => {
    if (preventClose !== true) send.close();
  };
  const letGo = () => {
    life.end();
    close();
  };
  const stream = new Writable({
    objectMode,
    highWaterMark: 1,
    write(chunk: T, _encoding, callback) {
      send.send(chunk, life.scope).then(
        // Runs listeners of the user: not inside a promise, which would turn what they throw into a rejection.
        () => nextTick(callback),
        (error) => {
          if (!life.isOver) letGo();
          nextTick(callback, error);
        },
      );
    },
    final(callback) {
      letGo();
      callback();
    },
    destroy(error, callback) {
      if (!life.isOver) {
        life.breakOff(error);
        letGo();
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
