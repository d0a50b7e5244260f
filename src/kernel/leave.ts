import { TimeoutError } from "./errors.js";
import { LEAVING } from "./flags.js";
import { runScope } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";

/**
 * Ends what is still in a scope whose body is over: first what nobody awaited is cancelled and its end awaited, then the cleanups run, and so on
 * until nothing is left.
 */
export async function leave(scope: ScopeNode): Promise<void> {
  scope._flags |= LEAVING;
  let deadline: number | undefined;
  for (;;) {
    while (scope._isOccupied) {
      scope._empty();
      if (scope._isOccupied) await scope._parkLeaver();
    }
    const cleanup = scope._takeCleanup() as ((scope: CancelScope) => unknown) | undefined;
    if (cleanup === undefined) return;
    deadline ??= scope._runtime.now() + cleanupTimeoutOf(scope);
    await runCleanup(scope, cleanup, deadline);
  }
}

async function runCleanup(scope: ScopeNode, cleanup: (scope: CancelScope) => unknown, deadline: number): Promise<void> {
  const cleaning = new CancelScope({ shield: true, deadline, name: "cleanup" });
  try {
    await runScope(cleaning, cleanup, scope as CancelScope, { caller: "cleanup" });
    if (cleaning.cancelledCaught && cleaning._reason?.kind === "deadline") {
      scope._outcome.fail(
        new TimeoutError(
          `the cleanups of ${scope._path} took longer than its cleanupTimeout of ${cleanupTimeoutOf(scope)} ms`,
          scope._path,
        ),
      );
    }
  } catch (error) {
    scope._outcome.settle(scope._judge(error));
  }
}

function cleanupTimeoutOf(scope: ScopeNode): number {
  for (let at: ScopeNode | undefined = scope; at !== undefined; at = at._parent) {
    const timeout = at._rare?.cleanupTimeout;
    if (timeout !== undefined) return timeout;
  }
  return Number.POSITIVE_INFINITY;
}
