import { finished, type Readable, type Writable } from "node:stream";

/**
 * Watches one half of a stream, and calls `onEnd` once, when that has ended or failed: with the error then, which is the platform's own
 * if the stream was destroyed before its end. Until then its errors are not uncaught. Returns how to stop; no listener is left then, nor after the call.
 */
export function watchEnd(
  stream: Readable | Writable,
  half: "readable" | "writable",
  onEnd: (error: Error | undefined) => void,
): () => void {
  const stop = finished(stream, { readable: half === "readable", writable: half === "writable" }, (error) => {
    stop();
    onEnd(error ?? undefined);
  });
  return stop;
}
