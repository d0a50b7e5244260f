/** A value, or a promise of it: what every body and task function may return. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * Anything with a `signal`: a scope of creche, an options bag, a foreign `AbortController`.
 * It is what every function of the library takes as its last parameter, and what the platform takes as options.
 */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}
