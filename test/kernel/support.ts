import { type Awaitable, Cancelled, CancelScope, run } from "../../src/index.js";

/** What `call` throws; a test error if it does not. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** What `promise` rejects with, as the very object; a test error if it does not. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was thrown, but resolved to ${String(value)}`);
}

/** As `rejectionOf`, when the class is known. */
export async function rejectionAs<E>(type: abstract new (...args: never) => E, promise: PromiseLike<unknown>): Promise<E> {
  const error = await rejectionOf(promise);
  if (error instanceof type) return error;
  throw new Error(`expected ${type.name}, got ${String(error)}`);
}

/** The rejections that the platform reports as unhandled while `body` runs, and right after it. */
export async function unhandledDuring(body: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error) => seen.push(error));
  try {
    await body();
    // Twice: Bun reports what was rejected in an immediate only when the loop turns again (https://github.com/oven-sh/bun/pull/38524).
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
  return seen;
}

/** A `Cancelled` that was made by a tree of its own. */
export async function foreignCancelled(): Promise<Cancelled> {
  const scope = new CancelScope({ name: "elsewhere" });
  await run(() => scope.run(() => scope.cancel("elsewhere")), { detached: true });
  return reasonOf(scope);
}

export function reasonOf(scope: CancelScope): Cancelled {
  const { reason } = scope.signal;
  if (reason instanceof Cancelled) return reason;
  throw new Error("the scope is not cancelled");
}

/** Three scopes, one in another, each cancelled by its own `cancel()`, so that each has a reason of its own. */
export interface Cancelledness {
  readonly outer: CancelScope;
  readonly scope: CancelScope;
  readonly inner: CancelScope;
}

/** Calls `body` inside the innermost of three cancelled scopes. */
export async function inCancelledScopes<T>(body: (scopes: Cancelledness) => Awaitable<T>): Promise<T> {
  const outer = new CancelScope({ name: "outer" });
  const scope = new CancelScope({ name: "judged" });
  const inner = new CancelScope({ name: "inner" });
  let result: { readonly value: T } | undefined;
  await run(
    () =>
      outer.run(() =>
        scope.run(() =>
          inner.run(async () => {
            for (const each of [inner, scope, outer]) each.cancel(`of ${each.name}`);
            result = { value: await body({ outer, scope, inner }) };
          }),
        ),
      ),
    { detached: true },
  );
  return (result as { readonly value: T }).value;
}
