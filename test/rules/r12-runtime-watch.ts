import { productionRuntime } from "../../src/kernel/production-runtime.js";
import type { Timer } from "../../src/kernel/runtime.js";
import type { Waiter } from "../../src/kernel/waiter.js";
import { SimulatedRuntime } from "../../src/testing/engine/simulated-runtime.js";

/** Everything that was given to a runtime to wait for. */
export interface Given {
  readonly timers: readonly Timer[];
  readonly waiters: readonly Waiter<unknown>[];
}

/** Notes what the runtimes are given while `body` runs, by whichever of the two. */
export async function watchRuntimes<T>(body: () => Promise<T>): Promise<Given & { readonly value: T }> {
  const timers: Timer[] = [];
  const waiters: Waiter<unknown>[] = [];
  const restore = [productionRuntime, SimulatedRuntime.prototype].flatMap((runtime) => [
    note(runtime, "setTimer", timers),
    note(runtime, "park", waiters),
  ]);
  try {
    return { value: await body(), timers, waiters };
  } finally {
    for (const undo of restore) undo();
  }
}

function note(target: object, name: string, into: unknown[]): () => void {
  const original = Reflect.get(target, name) as (...given: unknown[]) => unknown;
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...given: unknown[]) {
      into.push(given[0]);
      return Reflect.apply(original, this, given);
    },
  });
  return () => {
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, own);
  };
}
