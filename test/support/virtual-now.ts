import type { CancelScope } from "../../src/index.js";

/** The time of the scope's own run. `now()` takes no scope, so where nothing is ambient it knows only the production clock. */
export function virtualNow(scope: CancelScope): number {
  return scope._runtime.now();
}
