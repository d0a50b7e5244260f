import { withAmbientScope } from "#context";
import { EXPLICIT } from "./flags.js";
import type { CancelScope } from "./scope.js";
import type { Awaitable } from "./types.js";

/** How many bodies may begin inside one another on one stack. Each takes some 5 frames; engines give 10,000 and more. */
const DEEPEST = 100;
let depth = 0;

/**
 * Begins a body in its scope: at once, as an async function does, except that every 100th of those nested in one another waits for a microtask,
 * so that no depth of nesting overflows the stack.
 */
export function callBody<S extends CancelScope, T>(scope: S, body: (scope: S) => Awaitable<T>): Awaitable<T> {
  if (depth >= DEEPEST) return Promise.resolve().then(() => callBody(scope, body));
  depth++;
  try {
    return (scope._flags & EXPLICIT) === 0 ? withAmbientScope(scope, body, scope) : body(scope);
  } finally {
    depth--;
  }
}
