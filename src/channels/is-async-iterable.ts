import type { AnyIterable } from "./source.js";

/** Which of the two it is. Not asked by `in`, which throws for a string. */
export function isAsyncIterable<T>(iterable: AnyIterable<T>): iterable is AsyncIterable<T> {
  return typeof (iterable as Partial<AsyncIterable<T>>)[Symbol.asyncIterator] === "function";
}
