import { describe, expect, test } from "vitest";
import { CancelScope, isCancellation } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, thrownBy } from "./support.js";

/** A scope that is cancelled with everything in it, from outside it. */
async function inCancelled(body: (scope: CancelScope) => Promise<unknown>): Promise<CancelScope> {
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(body);
  return scope;
}

describe("isCancellation() tells, where an error is caught, whether to throw it on:", () => {
  test("the cancellation of the scope, in whatever form it came", async () => {
    await inSimulation(async (scope) => {
      scope.cancel();
      expect(isCancellation(scope.signal.reason)).toBe(true);
      expect(isCancellation(new Error("x", { cause: scope.signal.reason }))).toBe(true);
      expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(true);
      expect(isCancellation(new Error("x"))).toBe(false);
    });
  });

  test("nothing in a scope that is not cancelled", async () => {
    await inSimulation(async () => expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(false));
  });

  test("of the scope that it is passed, or of that of a signal", async () => {
    await inSimulation(async (outer) => {
      outer.cancel();
      const reason = outer.signal.reason;
      const inner = new CancelScope({ shield: true });
      await inner.run(() => {
        expect(isCancellation(reason)).toBe(false);
        expect(isCancellation(reason, inner)).toBe(false);
        expect(isCancellation(reason, outer)).toBe(true);
        expect(isCancellation(reason, { signal: outer.signal })).toBe(true);
      });
    });
  });

  test("where there is no scope, any Cancelled, and nothing else", async () => {
    const scope = await simulate(() => inCancelled(async () => {}));
    expect(isCancellation(reasonOf(scope))).toBe(true);
    expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(false);
  });

  test("asking is no verdict: an error that was asked for, and then thrown on, is counted once", async () => {
    await simulate(async (nursery) => {
      await inCancelled(async () => {
        const error = new DOMException("no link", "AbortError");
        expect(isCancellation(error)).toBe(true);
        throw error;
      });
      expect(nursery._tree?.assumedCancellations).toBe(1);
    });
  });

  test("misuse is misuse", () => {
    expect(thrownBy(() => isCancellation(new Error("x"), new CancelScope()))).toMatchObject({ name: "UsageError" });
    expect(thrownBy(() => isCancellation(new Error("x"), 1 as never))).toBeInstanceOf(TypeError);
  });

  async function inSimulation(body: (scope: CancelScope) => Promise<void>): Promise<void> {
    const scope = new CancelScope();
    await simulate(() => scope.run(body));
  }
});
