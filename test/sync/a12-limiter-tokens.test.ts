import { describe, expect, test } from "vitest";
import { CapacityLimiter, currentTask, openNursery, sleep, UsageError } from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

describe("borrow()", () => {
  test("resolves to a token that is its own borrower: one task may have several, and another may give them back", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(2);
      const tokens = [await limiter.borrow(), await limiter.borrow()];
      expect(limiter.statistics().borrowers).toEqual(tokens);
      const third = nursery.startSoon(() => limiter.borrow());
      await sleep(1);
      await nursery.startSoon(() => tokens[0]?.release()).join();
      const token = await third.join();
      expect(limiter.statistics().borrowers).toEqual([tokens[1], token]);
      token.release();
      tokens[1]?.release();
      expect(limiter.borrowed).toBe(0);
    });
  });

  test("is given back once", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(1);
      const token = await limiter.borrow();
      token.release();
      expect(thrownBy(() => token.release())).toEqual(new UsageError("this token of a limiter has been given back already"));
      await limiter.acquire();
      expect(thrownBy(() => token.release())).toBeInstanceOf(UsageError);
      expect(limiter.statistics().borrowers).toEqual([currentTask()]);
      limiter.release();
    });
  });

  test("is given back at the end of its block, however that is left, unless it was before", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(2);
      {
        using _token = await limiter.borrow();
        expect(limiter.borrowed).toBe(1);
      }
      expect(limiter.borrowed).toBe(0);
      const boom = new Error("boom");
      const failing = async () => {
        using _token = await limiter.borrow();
        throw boom;
      };
      expect(await rejectionOf(failing())).toBe(boom);
      expect(limiter.borrowed).toBe(0);
      {
        using token = await limiter.borrow();
        token.release();
        limiter.acquireOnBehalfOfNowait("another");
      }
      expect(limiter.statistics().borrowers).toEqual(["another"]);
    });
  });

  test("limits what one task does many times at once", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(3);
      let most = 0;
      const work = async () => {
        using _token = await limiter.borrow();
        most = Math.max(most, limiter.borrowed);
        await sleep(5);
      };
      await Promise.all(Array.from({ length: 10 }, work));
      expect([most, limiter.borrowed]).toEqual([3, 0]);
      const error = await rejectionOf(Promise.all([1, 2].map(() => limiter.run(() => sleep(5)))));
      expect(error).toEqual(new UsageError("main has a token of this limiter already; a task borrows one at a time"));
    });
  });

  test("is disposed where a task results in it that nobody received", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(1);
      await openNursery(async (nursery) => {
        nursery.startSoon(() => limiter.borrow());
        await sleep(1);
        expect(limiter.borrowed).toBe(1);
        nursery.cancel();
      });
      expect(limiter.borrowed).toBe(0);
    });
  });

  test("needs no task: a foreign signal alone will do", async () => {
    const limiter = new CapacityLimiter(1);
    const controller = new AbortController();
    const token = await limiter.borrow(controller);
    const waiting = limiter.borrow(controller);
    controller.abort("enough");
    expect(await rejectionOf(waiting)).toMatchObject({ name: "AbortError", cause: "enough" });
    token.release();
    expect(limiter.statistics()).toMatchObject({ borrowed: 0, tasksWaiting: 0 });
  });
});
