import { quietly } from "../kernel/quiet.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";

/** What can be acquired and released: the verbs that lock, semaphore and limiter share. */
export interface Acquirable {
  acquire(scope?: Cancellable): Promise<void>;
  release(scope?: Cancellable): void;
}

/** Runs `body` between `acquire` and `release`. */
export function holding<T>(resource: Acquirable, body: () => Awaitable<T>, scope: Cancellable | undefined): Promise<T> {
  return quietly(async () => {
    requireFunction(body, "run()");
    await resource.acquire(scope);
    try {
      return await body();
    } finally {
      resource.release(scope);
    }
  });
}
