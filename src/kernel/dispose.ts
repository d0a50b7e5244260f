/// <reference lib="esnext.disposable" preserve="true" />
import type { Awaitable } from "./types.js";

export function isDisposable(value: unknown): value is Disposable | AsyncDisposable {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return Symbol.asyncDispose in value || Symbol.dispose in value;
  } catch {
    // A Proxy that cannot be asked.
    return false;
  }
}

/** Disposes asynchronously where that can be. */
export function dispose(value: Disposable | AsyncDisposable): Awaitable<void> {
  return Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : value[Symbol.dispose]();
}
