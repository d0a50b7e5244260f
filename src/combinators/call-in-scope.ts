import { dispose, isDisposable } from "../kernel/dispose.js";
import type { Nursery } from "../kernel/nursery.js";
import { runScope } from "../kernel/run-scope.js";
import { CancelScope } from "../kernel/scope.js";
import type { Awaitable } from "../kernel/types.js";

/** What came of a function that was called in a scope of its own: nothing, if its own scope was cancelled. */
export type Came<T> = { readonly value: T } | undefined;

/** Calls a function in a scope of its own, and ends what it leaves behind, before anything is made of how it went. */
export async function callInScope<T>(name: string, fn: (scope: CancelScope) => Awaitable<T>, nursery: Nursery): Promise<Came<T>> {
  const own = new CancelScope({ name });
  const body = async () => {
    const result = await fn(own);
    // If a cleanup fails, the call has failed, and nobody gets what it brought: so the last cleanup looks for that.
    if (isDisposable(result)) own._rare?.cleanups?.unshift(() => (own._outcome.hasFailed ? dispose(result) : undefined));
    return result;
  };
  const value = await runScope(own, body, nursery, { caller: name });
  return own.cancelledCaught ? undefined : { value: value as T };
}
