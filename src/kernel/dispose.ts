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

/** Disposes a value that is disposable, asynchronously where it can be. */
export function dispose(value: unknown): Awaitable<void> {
  if (!isDisposable(value)) return;
  return Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : value[Symbol.dispose]();
}
