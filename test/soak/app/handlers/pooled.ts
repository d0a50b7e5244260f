import { type CancelScope, moveOnAfter, sleep } from "../../../../src/index.js";
import type { Call } from "../call.js";

/** One of what is shared, for a while: whoever is cancelled in line has taken nothing, whoever has it gives it back. */
export async function boundedPools(call: Call, scope: CancelScope): Promise<void> {
  const { pools } = call.app;
  const use = () => sleep(call.random.next() * 2, call.at(scope));
  switch (call.random.below(5)) {
    case 0:
      return pools.lock.run(() => pools.inLock.hold(use), call.at(scope));
    case 1:
      return pools.semaphore.run(() => pools.inSemaphore.hold(use), call.at(scope));
    case 2:
      return pools.limiter.run(() => pools.inLimiter.hold(use), call.at(scope));
    case 3: {
      using _token = await pools.limiter.borrow(call.at(scope));
      return pools.inLimiter.hold(use);
    }
    default: {
      const borrower = {};
      await pools.limiter.acquireOnBehalfOf(borrower, call.at(scope));
      try {
        await pools.inLimiter.hold(use);
      } finally {
        pools.limiter.releaseOnBehalfOf(borrower);
      }
    }
  }
}

/** Some tokens of the rate limiter, or none if that takes too long. */
export async function rateLimited(call: Call, scope: CancelScope): Promise<void> {
  const { rate, rateCheck } = call.app.pools;
  const tokens = call.random.between(1, 3);
  await moveOnAfter(call.random.between(1, 40), (inner) => rateCheck.acquire(tokens, () => rate.acquire(tokens, inner)), scope);
}

/** Puts something on a shelf, or takes something from it, waiting under a condition until there is something. */
export async function conditionedShelf(call: Call, scope: CancelScope): Promise<void> {
  const { condition, shelf, inCondition } = call.app.pools;
  if (call.random.chance(0.5)) {
    await condition.run(
      () =>
        inCondition.hold(async () => {
          shelf.push(1);
          condition.notify(undefined, call.at(scope));
        }),
      call.at(scope),
    );
    return;
  }
  await moveOnAfter(
    call.random.between(1, 10),
    (inner) =>
      condition.run(async () => {
        try {
          while (shelf.length === 0) await condition.wait(inner);
        } catch (error) {
          condition.notify(undefined, inner);
          throw error;
        }
        await inCondition.hold(async () => shelf.pop());
      }, inner),
    scope,
  );
}
