import { describe, expect, test } from "vitest";
import { all, any, hedge, openNursery, race, sleep, staggered } from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** Something to dispose that counts how often it was. */
const resource = () => ({
  disposed: 0,
  [Symbol.dispose]() {
    this.disposed++;
  },
});

const later = (ms: number) => sleep(ms).catch(() => {});

describe("one object that several functions return", () => {
  for (const [name, first] of [
    ["any", (fns: (() => Promise<object>)[]) => any(fns)],
    ["race", (fns: (() => Promise<object>)[]) => race(fns)],
    ["staggered", (fns: (() => Promise<object>)[]) => staggered(fns, { delay: 1 })],
  ] as const) {
    test(`is not disposed with a loser of ${name}() if the winner brought it as well`, async () => {
      await simulate(async () => {
        const shared = resource();
        const won = await first([() => later(10).then(() => shared), () => later(20).then(() => shared)]);
        expect(won).toBe(shared);
        expect(shared.disposed).toBe(0);
      });
    });

    test(`is disposed once if two losers of ${name}() bring it`, async () => {
      await simulate(async () => {
        const shared = resource();
        const won = await first([() => later(10).then(() => ({})), () => later(20).then(() => shared), () => later(20).then(() => shared)]);
        expect(won).toEqual({});
        expect(shared.disposed).toBe(1);
      });
    });
  }

  test("is not disposed with a loser of hedge() if the winner brought it as well", async () => {
    await simulate(async () => {
      const shared = resource();
      expect(await hedge(() => later(10).then(() => shared), { delay: 1, attempts: 3 })).toBe(shared);
      expect(shared.disposed).toBe(0);
    });
  });

  test("is disposed once if all() fails", async () => {
    await simulate(async () => {
      const shared = resource();
      const failing = sleep(1).then(() => Promise.reject(new Error("boom")));
      await rejectionOf(all([() => shared, () => shared, () => failing]));
      expect(shared.disposed).toBe(1);
    });
  });

  test("is disposed once if a nursery is cancelled in which nobody received it", async () => {
    await simulate(async () => {
      const shared = resource();
      await openNursery(async (nursery) => {
        nursery.startSoon(() => shared);
        nursery.startSoon(() => shared);
        await sleep(1);
        nursery.cancel();
      });
      expect(shared.disposed).toBe(1);
    });
  });
});
