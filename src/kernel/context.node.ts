import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import type { CancelScope } from "./scope.js";

// Constructing it is free. The first `run` makes every await of a Node 20 or 22 process about 80 ns slower, so it waits for the first ambient scope.
const storage = new AsyncLocalStorage<CancelScope | undefined>();

/** Whether this platform can carry the ambient scope. */
export const isAmbientSupported = true;

/** The innermost scope around the running code. */
export function ambientScope(): CancelScope | undefined {
  return storage.getStore();
}

/** Calls `body(argument)` with `scope` as the ambient one, in it and in all that it awaits. */
export function withAmbientScope<A, R>(scope: CancelScope | undefined, body: (argument: A) => R, argument: A): R {
  return storage.run(scope, body, argument);
}

// workerd has the method, and it throws there.
const canEnter = (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent !== "Cloudflare-Workers";

/**
 * As `withAmbientScope`, for a call that is all that its microtask does: there is nothing to go back to, which halves the cost on Node 24.
 * A microtask ends with its async context on every runtime (tried on Node 20 and 24, Bun and Deno).
 */
export function enterAmbientScope<A, R>(scope: CancelScope, body: (argument: A) => R, argument: A): R {
  if (!canEnter) return storage.run(scope, body, argument);
  storage.enterWith(scope);
  return body(argument);
}

/**
 * Node 20 warns of a leak at the 11th listener of one signal; a scope's signal has as many as its user passes it on.
 * Not 0, which says the same: its `getMaxListeners` then takes the signal for something else and throws, and undici's `fetch` asks it.
 */
export function allowManyListeners(signal: AbortSignal): void {
  if (EventEmitter.getMaxListeners?.(signal) !== 0) EventEmitter.setMaxListeners?.(Number.POSITIVE_INFINITY, signal);
}
