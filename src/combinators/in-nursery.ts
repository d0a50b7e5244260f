import { Nursery } from "../kernel/nursery.js";
import { runNew } from "../kernel/run-scope.js";
import type { Cancellable } from "../kernel/types.js";

/** Runs `body` in a nursery that is called after the combinator. It does not begin in a cancelled scope. */
export function inNursery<T>(name: string, body: (nursery: Nursery) => Promise<T>, where: Cancellable | undefined): Promise<T> {
  const guarded = async (nursery: Nursery) => {
    nursery.throwIfCancelled();
    return body(nursery);
  };
  return runNew(() => new Nursery({ name }), guarded, where, { caller: `${name}()` }) as Promise<T>;
}
