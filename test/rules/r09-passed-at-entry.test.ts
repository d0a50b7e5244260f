import { expect, test } from "vitest";
import { CancelScope, moveOnAfter, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

/** Enters a scope whose time is over, and waits for nothing in it. */
async function seen(scope: CancelScope): Promise<unknown[]> {
  const inside = await scope.run(() => [scope.effectiveDeadline, scope.signal.aborted]);
  return [...(inside as unknown[]), scope.cancelCalled, scope.cancelledCaught];
}

test("a scope whose deadline has passed when it is entered is cancelled from the beginning, without a checkpoint that would notice", async () => {
  await simulate(async () => {
    await sleep(5);
    const cancelled = [Number.NEGATIVE_INFINITY, true, true, false];
    expect(await seen(new CancelScope({ timeout: 0 }))).toEqual(cancelled);
    expect(await seen(new CancelScope({ deadline: 5 }))).toEqual(cancelled);
    expect(await seen(new CancelScope({ deadline: 3 }))).toEqual(cancelled);
    expect(await seen(new CancelScope({ deadline: 6 }))).toEqual([6, false, false, false]);
  });
});

test("also in a scope that is cancelled, and behind a shield there: it is its own deadline that counts as called", async () => {
  await simulate(async () => {
    await moveOnAfter(0, async () => {
      expect(await seen(new CancelScope({ timeout: 0 }))).toEqual([Number.NEGATIVE_INFINITY, true, true, false]);
      expect(await seen(new CancelScope({ timeout: 0, shield: true }))).toEqual([Number.NEGATIVE_INFINITY, true, true, false]);
      expect(await seen(new CancelScope({ timeout: 1, shield: true }))).toEqual([1, false, false, false]);
    });
  });
});
