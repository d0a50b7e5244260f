import { isCancelled } from "./cancelled.js";

function ignore(): void {}

/**
 * Keeps the platform from reporting a promise of ours as an unhandled rejection. For those that reject with a cancellation, or with an error that
 * is told elsewhere: whoever does not await them has nothing to learn from them.
 */
export function quiet(promise: Promise<unknown> | undefined): void {
  promise?.catch(ignore);
}

/** A rejection, after `turn` if there is one; quiet if it is a cancellation. */
export function refuse(refusal: unknown, turn: Promise<void> | undefined): Promise<never> {
  const promise = turn === undefined ? Promise.reject(refusal) : turn.then(() => Promise.reject(refusal));
  if (isCancelled(refusal)) quiet(promise);
  return promise;
}

/** The promise of `work`, quiet if it rejects with a cancellation. */
export function quietly<T>(work: () => Promise<T>): Promise<T> {
  const promise = watched();
  return promise;

  async function watched(): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isCancelled(error)) quiet(promise);
      throw error;
    }
  }
}
