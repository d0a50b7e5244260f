import type { AnyIterable } from "./source.js";

/** Whether `for await` takes it. */
export function isIterable(value: unknown): value is AnyIterable<unknown> {
  if (value === undefined || value === null) return false;
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = Object(value) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  return typeof asynchronous === "function" || typeof synchronous === "function";
}
