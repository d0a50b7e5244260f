import type { CancelScope } from "../kernel/scope.js";
import type { Receivable } from "./receivable.js";

/** An item, or the end, as an iterator tells them. */
export type Item<T> = IteratorResult<T, undefined>;

/** The end of every iteration. */
export const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** The next item, or the end, as an iterator tells it. */
export function nextIn<T>(scope: CancelScope, from: Receivable<T>): Promise<Item<T>> {
  if (from._isReady()) return scope._runtime.pause(scope, "receive", from, from._take());
  from._asked();
  return from._receivers.wait(scope, undefined);
}
