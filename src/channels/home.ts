import { UsageError } from "../kernel/errors.js";
import { ENDED, TEMPORARY } from "../kernel/flags.js";
import { release, scopeOf } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import type { Cancellable } from "../kernel/types.js";
import type { Home } from "./produced.js";

/** Where something belongs that outlives the call which made it: the scope that `where` names; under a foreign signal the ambient one. */
export function homeOf(where: Cancellable | undefined, caller: string): Home {
  const at = scopeOf(where);
  const isForeign = (at._flags & TEMPORARY) !== 0;
  release(at);
  let owner: ScopeNode | undefined = at;
  while (owner !== undefined && (owner._flags & TEMPORARY) !== 0) owner = owner._parent;
  if (owner === undefined) {
    throw new UsageError(`${caller} belongs to the scope it is called in, and there is none, only a signal: call it inside run()`);
  }
  if ((owner._flags & ENDED) !== 0) throw owner._endedError(`${caller} was called in it`);
  return { owner: owner as CancelScope, signal: isForeign ? where?.signal : undefined };
}
