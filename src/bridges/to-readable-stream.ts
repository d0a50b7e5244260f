import { EndOfChannel } from "../kernel/errors.js";
import type { Cancellable } from "../kernel/types.js";
import { type ReceiveEnd, requireReceiveEnd } from "./channel-ends.js";
import { handOver } from "./hand-over.js";
import { StreamLife } from "./stream-life.js";

/** Also the scope in which the stream lives: a scope itself, or its `signal`. */
export interface ToReadableStreamOptions extends Cancellable {
  /** `true`: the end stays open when the stream is cancelled, errors, or is left with its scope. Default `false`. */
  readonly preventCancel?: boolean | undefined;
}

/**
 * A `ReadableStream` of what comes out of a channel, for code that takes streams: `new Response(stream)`, `pipeThrough`, `pipeTo`.
 *
 * It receives an item when one is read, and none ahead: what is on its way is bounded by the capacity of the channel alone.
 * The end of the channel is the end of the stream. Cancelling the stream closes the receive end, so producers get `BrokenResourceError`.
 *
 * It lives in a scope: the one that is passed, or the ambient one. When that is cancelled, or left, before the end, the stream errors with
 * the `Cancelled`, and the receive end is closed. An item that has been received by then has been read; none is lost.
 *
 * Pitfall: a stream that is returned from its scope is over before anybody reads it. Read it inside, or pass the scope of whoever reads it.
 *
 * @throws TypeError if `receive` is no receive end
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example await toReadableStream(lines).pipeThrough(new TextEncoderStream()).pipeTo(file.writable, scope);
 */
export function toReadableStream<T>(receive: ReceiveEnd<T>, options?: ToReadableStreamOptions): ReadableStream<T> {
  requireReceiveEnd(receive, "toReadableStream()");
  const preventCancel = options?.preventCancel === true;
  const life = new StreamLife("toReadableStream", options);
  let controller: ReadableStreamDefaultController<T>;
  const enqueue = (item: T) => controller.enqueue(item);
  const close = () => {
    if (!preventCancel) receive.close();
  };
  const letGo = () => {
    life.end();
    close();
  };
  const stream = new ReadableStream<T>(
    {
      start(own) {
        controller = own as ReadableStreamDefaultController<T>;
      },
      async pull() {
        try {
          await handOver(receive, enqueue, life.scope);
        } catch (error) {
          if (error instanceof EndOfChannel) {
            life.end();
            controller.close();
          } else {
            letGo();
            throw error;
          }
        }
      },
      cancel: letGo,
    },
    { highWaterMark: 0 },
  );
  life.begin((reason) => {
    controller.error(reason);
    life.endCancelled(close);
  });
  return stream;
}
