import { finished, type Readable, type Writable } from "node:stream";

/**
 * Destroys a stream, and waits until it is closed. Without an error: many streams pass one on to emitters that nobody listens to. What it
 * fails with now is of no interest: many fail by being destroyed.
 */
export async function destroyed(stream: Readable | Writable): Promise<void> {
  stream.on("error", ignore);
  stream.destroy();
  if (!emitsClose(stream)) return;
  await new Promise<void>((resolve) => {
    const stop = finished(stream, () => {
      stop();
      resolve();
    });
  });
  stream.off("error", ignore);
}

export function ignore(): void {}

/** One that was made not to tell when it is closed cannot be waited for. Then the listener for errors stays, because there is no telling when it may go. */
function emitsClose(stream: Readable | Writable): boolean {
  const { _readableState, _writableState } = stream as {
    readonly _readableState?: { readonly emitClose?: boolean };
    readonly _writableState?: { readonly emitClose?: boolean };
  };
  return (_readableState ?? _writableState)?.emitClose !== false;
}
