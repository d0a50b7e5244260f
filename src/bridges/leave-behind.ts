import type { Rare } from "../kernel/rare.js";
import type { ScopeNode } from "../kernel/scope-node.js";

/** Counts an operation that is given up and goes on, in its scope and in all around it. Returns how to say that it has settled. */
export function leaveBehind(scope: ScopeNode): () => void {
  // They are remembered one by one: a task may have moved to another nursery until the operation settles.
  const counting: Rare[] = [];
  for (let at: ScopeNode | undefined = scope; at !== undefined; at = at._parent) {
    const rare = at._rarely;
    rare.abandoned++;
    counting.push(rare);
  }
  return () => {
    for (const rare of counting) rare.abandoned--;
    counting.length = 0;
  };
}
