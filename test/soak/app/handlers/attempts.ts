import { type CancelScope, hedge, race, retry, staggered } from "../../../../src/index.js";
import { PlannedFailure } from "../../checks/planned-failure.js";
import type { Call } from "../call.js";
import { DisposableValue } from "../disposable-value.js";

/** What a competitor brings has to be disposed: by the library where it lost, by us where it won. */
async function contend(call: Call, scope: CancelScope): Promise<DisposableValue> {
  await call.mayFail(scope, 0.2);
  return new DisposableValue(call.app.ledger);
}

/** Several at once, of which one wins; the others are cancelled, awaited, and what they bring all the same is disposed. */
export async function raced(call: Call, scope: CancelScope): Promise<void> {
  const contestants = Array.from({ length: call.random.between(1, 4) }, () => (task: CancelScope) => contend(call, task));
  const winner = call.random.chance(0.5)
    ? await race(contestants, call.at(scope))
    : await staggered(contestants, { delay: call.random.below(4) }, call.at(scope));
  await winner[Symbol.asyncDispose]();
}

export async function hedged(call: Call, scope: CancelScope): Promise<void> {
  const winner = await hedge((task) => contend(call, task), { delay: call.random.below(5), attempts: 3 }, call.at(scope));
  await winner[Symbol.asyncDispose]();
}

/** Attempts one after another; each has ended before the next one begins. */
export async function retried(call: Call, scope: CancelScope): Promise<void> {
  const attempts = call.random.between(1, 4);
  const retryable = call.random.chance(0.8);
  let made = 0;
  let under = 0;
  try {
    await retry(
      async (inner, attempt) => {
        call.check(++made === attempt && under === 0, () => `attempt ${attempt} began as number ${made}, beside ${under} others`);
        under++;
        inner.defer(() => under--);
        await call.mayFail(inner, 0.6);
      },
      { attempts, delay: call.random.below(4), retryable: (error) => retryable && error instanceof PlannedFailure },
      call.at(scope),
    );
  } finally {
    call.check(under === 0, () => "retry() has ended, and an attempt has not");
    call.check(made <= attempts, () => `${made} attempts were made, of at most ${attempts}`);
  }
}
