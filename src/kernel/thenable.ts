/** May throw what a getter throws. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof (value as { readonly then?: unknown }).then === "function";
}

/** Settles once, whatever the other does, and never throws at the call. */
export function promiseOf<T>(value: T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(value);
  } catch (error) {
    return Promise.reject(error);
  }
}
