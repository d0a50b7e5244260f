import { CancelScope, type Nursery, now, type RateLimiter } from "../../src/index.js";

/** Asks for `n` tokens each, in this order, and logs who got them when. */
export function asking(nursery: Nursery, limiter: RateLimiter, requests: Record<string, number>, log: unknown[]): CancelScope[] {
  return Object.entries(requests).map(([who, n]) => {
    const scope = new CancelScope();
    nursery.startSoon(() =>
      scope.run(async () => {
        await limiter.acquire(n);
        log.push([who, now()]);
      }),
    );
    return scope;
  });
}
