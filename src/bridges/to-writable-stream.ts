import { TEMPORARY } from "../kernel/flags.js";
import { signalScope } from "../kernel/foreign-signal.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { requireSendEnd, type SendEnd } from "./channel-ends.js";
import { StreamLife } from "./stream-life.js";

/** Also the scope in which the stream lives: a scope itself, or its `signal`. */
export interface ToWritableStreamOptions extends Cancellable {
  /** `true`: the send end stays open, however the stream ends: for what is yet to be sent by others. Default `false`. */
  readonly preventClose?: boolean | undefined;
}

/** What TypeScript's types for Node do not have. Older platforms neither: there an `abort` waits for the write under way, as it does everywhere else. */
interface WithSignal {
  readonly signal?: AbortSignal;
}

/**
 * A `WritableStream` that sends what is written into a channel, for code that takes streams: `response.body.pipeTo(stream)`.
 *
 * A write is done when its chunk has been sent, so the stream asks for the next one when the channel has taken this one. Closing the stream closes
 * the send end, so receivers see the end of the channel. If all receive ends are closed, a write fails with `BrokenResourceError`, and so does the stream.
 *
 * It lives in a scope: the one that is passed, or the ambient one. When that is cancelled, or left, before the stream is closed, the stream errors with
 * the `Cancelled`, and the send end is closed.
 *
 * Aborting the stream **fails the nursery** around that scope, with the reason, as a failing task would: receivers in it are cancelled, and only then
 * the send end is closed. A channel cannot carry an error, and what was cut off must not look complete.
 *
 * Pitfall: to receivers outside of what is cancelled, the closed end is the end of the channel. Pass the nursery in which they run.
 *
 * @throws TypeError if `send` is no send end
 * @throws MissingScopeError, ScopeEndedError if there is no scope for it; UsageError if there is no nursery around it
 * @example
 * await openNursery(async (nursery) => {
 *   const [send, receive] = openMemoryChannel<Uint8Array>(4);
 *   nursery.startSoon((task) => response.body.pipeTo(toWritableStream(send, nursery), task));
 *   for await (const chunk of receive) await store(chunk);
 * });
 */
export function toWritableStream<T>(send: SendEnd<T>, options?: ToWritableStreamOptions): WritableStream<T> {
  requireSendEnd(send, "toWritableStream()");
  const preventClose = options?.preventClose === true;
  const life = new StreamLife("toWritableStream", options);
  let controller: WritableStreamDefaultController & WithSignal;
  /** Cancelled as soon as the stream is aborted, which is told only when the write under way is over: so that must not wait for a receiver any more. */
  let writing: CancelScope;
  const close = () => {
    if (!preventClose) send.close();
  };
  const letGo = () => {
    writing._end();
    life.end();
    close();
  };
  const stream = new WritableStream<T>({
    start(own) {
      controller = own;
      writing = signalScope(controller.signal, life.scope);
      // It stays for all writes, and so does its listener.
      writing._flags &= ~TEMPORARY;
    },
    async write(chunk) {
      try {
        await send.send(chunk, writing);
      } catch (error) {
        if (!writing.cancelCalled && !life.isOver) letGo();
        throw error;
      }
    },
    close: letGo,
    abort(reason) {
      life.breakOff(reason);
      letGo();
    },
  });
  life.begin((reason) => {
    controller.error(reason);
    writing._end();
    life.endCancelled(close);
  });
  return stream;
}
