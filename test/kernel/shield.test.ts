import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, failAfter, moveOnAfter, now, shield, sleep, TimeoutError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf } from "./support.js";

describe("shield()", () => {
  test("resolves to the body's value, rejects with its failure", async () => {
    await simulate(async () => {
      expect(await shield(() => 1)).toBe(1);
      const error = new Error("x");
      expect(
        await rejectionOf(
          shield(() => {
            throw error;
          }),
        ),
      ).toBe(error);
    });
  });

  test("lets the outer scope be passed inside it: mask and poll", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        shield(async () => {
          outer.cancel();
          await sleep(1);
          expect(await rejectionOf(sleep(1, outer))).toBe(outer.signal.reason);
        }),
      ),
    );
  });

  test("its own cancel() is a timeout, as there is no value to return", async () => {
    await simulate(async () => {
      const promise = shield(async (scope) => {
        scope.cancel();
        await checkpoint();
      });
      expect(await rejectionAs(TimeoutError, promise)).toHaveProperty("message", "timed out in root > scope: its own cancel() was called");
    });
  });

  test("takes a scope as its options: where it belongs, without its deadline", async () => {
    await simulate(() =>
      moveOnAfter(10, async (outer) => {
        await failAfter(5, async () => {
          await shield(() => sleep(7), outer);
          expect(now()).toBe(7);
        }).catch(() => {});
      }),
    );
  });

  test("validates its timeout at the call", async () => {
    await simulate(async () => {
      expect(await rejectionOf(shield(() => {}, { timeout: -1 }))).toBeInstanceOf(RangeError);
      expect(await rejectionOf(shield(() => {}, { timeout: Number.NaN }))).toBeInstanceOf(RangeError);
      expect(await rejectionOf(shield(() => {}, { timeout: "1" as never }))).toBeInstanceOf(TypeError);
    });
  });
});
