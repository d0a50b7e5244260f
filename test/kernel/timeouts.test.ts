import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentEffectiveDeadline,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf } from "./support.js";

const never = Number.POSITIVE_INFINITY;

describe("DL6: the effective deadline", () => {
  test("is the earliest of the scopes outwards, up to a shield", async () => {
    const scopes = fc.array(fc.record({ deadline: fc.option(fc.integer({ min: 1, max: 9 }), { nil: never }), shield: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(scopes, async (list) => {
        let expected = never;
        const descend = (i: number): Promise<unknown> => {
          const options = list[i];
          if (options === undefined) return Promise.resolve(expect(currentEffectiveDeadline()).toBe(expected));
          expected = Math.min(options.shield ? never : expected, options.deadline);
          return new CancelScope(options).run(() => descend(i + 1));
        };
        await simulate(() => descend(0));
      }),
    );
  });

  test("is -Infinity where it is cancelled, and `remaining` 0", async () => {
    await simulate(() =>
      new CancelScope({ timeout: 5 }).run((outer) =>
        new CancelScope().run((inner) => {
          outer.cancel();
          expect([outer.effectiveDeadline, inner.effectiveDeadline, inner.remaining]).toEqual([-never, -never, 0]);
          expect(currentEffectiveDeadline(outer)).toBe(-never);
        }),
      ),
    );
  });

  test("is Infinity where there is none, and so is `remaining`", async () => {
    await simulate((nursery) => expect([nursery.effectiveDeadline, nursery.remaining]).toEqual([never, never]));
  });

  test("`remaining` is the time until then, never below 0", async () => {
    await simulate(() =>
      new CancelScope({ timeout: 5 }).run(async (scope) => {
        await sleep(2);
        expect([scope.deadline, scope.remaining]).toEqual([5, 3]);
      }),
    );
    const past = new CancelScope();
    past.deadline = -1;
    expect(past.remaining).toBe(0);
  });
});

describe("DL7:", () => {
  test("moveOnAfter and moveOnAt swallow their own timeout, and resolve to undefined", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(5, () => sleepForever())).toBe(undefined);
      expect(await moveOnAt(9, () => sleepForever())).toBe(undefined);
      expect(now()).toBe(9);
    });
  });

  test("failAfter and failAt throw a TimeoutError", async () => {
    await simulate(async () => {
      const after = await rejectionAs(
        TimeoutError,
        failAfter(5, () => sleepForever()),
      );
      expect([after.message, after.scope]).toEqual(["timed out in root > scope: it took longer than 5 ms", "root > scope"]);
      const at = await rejectionAs(
        TimeoutError,
        failAt(9, () => sleepForever()),
      );
      expect(at.message).toBe("timed out in root > scope: its deadline passed");
    });
  });

  test("what is in time has its value, or its own error", async () => {
    await simulate(async () => {
      const error = new Error("in time");
      for (const within of [moveOnAfter, moveOnAt, failAfter, failAt]) {
        expect(await within(1_000, () => sleep(5).then(() => "in time"))).toBe("in time");
        expect(await rejectionOf(within(1_000, () => sleep(5).then(() => Promise.reject(error))))).toBe(error);
      }
    });
  });

  test("what comes too late, but comes, has its value: the body was not interrupted", async () => {
    await simulate(async () => {
      const late = async () => {
        await sleepForever().catch(() => {});
        return "late";
      };
      expect(await moveOnAfter(5, late)).toBe("late");
      expect(await failAfter(5, late)).toBe("late");
    });
  });

  test("a failure of the body after the timeout is that failure", async () => {
    const error = new Error("while cleaning up");
    const failing = () => sleepForever().catch(() => Promise.reject(error));
    await simulate(async () => {
      expect(await rejectionOf(moveOnAfter(5, failing))).toBe(error);
      expect(await rejectionOf(failAfter(5, failing))).toBe(error);
    });
  });

  test("the outer of two scopes that time out has the say", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(5, () => failAfter(5, () => sleepForever()))).toBe(undefined);
      const promise = failAfter(5, () => moveOnAfter(5, () => sleepForever()));
      expect(await rejectionOf(promise)).toBeInstanceOf(TimeoutError);
    });
  });

  test("a cancellation from outside passes failAfter as it is", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const promise = failAfter(100, async () => {
          outer.cancel();
          await checkpoint();
        });
        expect(await rejectionOf(promise)).toBe(outer.signal.reason);
      }),
    );
  });
});

// Trio's quirk (issue 698) is kept, because there is no value to return; only the message tells.
test("DL8: failAfter throws a TimeoutError also when its own cancel() was called", async () => {
  await simulate(async () => {
    const promise = failAfter(100, async (scope) => {
      scope.cancel();
      await checkpoint();
    });
    expect(await rejectionAs(TimeoutError, promise)).toHaveProperty("message", "timed out in root > scope: its own cancel() was called");
  });
});
