import { UsageError } from "../kernel/errors.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { ItemIterator } from "./item-iterator.js";

/** How often a generator is told to end that goes on yielding instead. */
const PATIENCE = 100;

/** Tells an iterator that no more items of it are wanted, and waits until it has closed. `reader` is who read it. */
export async function closeIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>, reader: ScopeNode): Promise<void> {
  // One of ours is told that its answer is heard, so that nobody else is to be told.
  if (iterator instanceof ItemIterator) {
    await iterator._return(true);
    return;
  }
  let result = await iterator.return?.();
  if (result?.done !== false || !isGenerator(iterator)) return;
  for (let i = 0; i < PATIENCE && result?.done === false; i++) result = await iterator.return?.();
  throw new UsageError(
    `the generator of ${reader._path} yielded while it was being closed, so the item went nowhere and what follows in that block was skipped. ` +
      "Do not yield in a `finally`",
  );
}

/** Whether it is one of the language, whose `return()` ends it where it stands, unless a `finally` block yields. */
function isGenerator(iterator: object): boolean {
  return /Generator\]$/.test(Object.prototype.toString.call(iterator));
}
