function ignore(): void {}

/**
 * Keeps the platform from reporting a promise of ours as an unhandled rejection. For those that reject with a cancellation, or with an error that
 * is told elsewhere: whoever does not await them has nothing to learn from them.
 */
export function quiet(promise: Promise<unknown> | undefined): void {
  promise?.catch(ignore);
}

/** A rejection that is quiet if it is a cancellation. */
export function refuse(refusal: unknown, isCancellation: boolean): Promise<never> {
  const promise = Promise.reject(refusal);
  if (isCancellation) quiet(promise);
  return promise;
}
