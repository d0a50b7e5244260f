import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, checkpoint, type Nursery, run, shield, sleep, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "./support.js";

const boom = new Error("boom");

describe("run({ signal })", () => {
  test("of a foreign signal is cancelled with it, and rejects with a Cancelled that has its reason as the cause", async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const running = run(() => sleepForever().finally(() => log.push("cleaned up")), { signal: controller.signal });
    controller.abort(boom);
    const error = await rejectionAs(Cancelled, running);
    expect([error.kind, error.cause, log]).toEqual(["signal", boom, ["cleaned up"]]);
  });

  test("whose signal is never aborted lets go of it", async () => {
    const { signal } = new AbortController();
    const running = run(() => sleep(1), { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await running;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("that is aborted already begins all the same, up to its first checkpoint", async () => {
    const log: string[] = [];
    const running = run(
      async () => {
        log.push("begun");
        await checkpoint();
        log.push("never");
      },
      { signal: AbortSignal.abort("early") },
    );
    expect(await rejectionOf(running)).toMatchObject({ kind: "signal", cause: "early" });
    expect(log).toEqual(["begun"]);
  });

  test("that is aborted, but whose body returns all the same, has its value", async () => {
    expect(await run(() => "value", { signal: AbortSignal.abort() })).toBe("value");
  });

  test("of a scope of ours is a child of that scope, also from outside it", async () => {
    let scope: Nursery | undefined;
    const outer = run((nursery) => {
      scope = nursery;
      return sleepForever().finally(() => shield(() => sleep(5)));
    });
    const { signal } = scope as Nursery;
    const inner = run(
      async (nursery) => {
        scope?.cancel("enough");
        await checkpoint();
        return nursery;
      },
      { signal },
    );
    expect(await rejectionOf(inner)).toBe(signal.reason);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(await outer).toBe(undefined);
  });

  test("of a signal that is derived from ours goes on with our very reason", async () => {
    await run(() =>
      new CancelScope().run(async (scope) => {
        const running = run(() => sleepForever(), { detached: true, signal: AbortSignal.any([scope.signal]) });
        scope.cancel();
        expect(await rejectionOf(running)).toBe(reasonOf(scope));
      }),
    );
  });

  test("inside a scope is linked to both", async () => {
    for (const which of ["scope", "signal"]) {
      await simulate(() =>
        new CancelScope().run(async (scope) => {
          const controller = new AbortController();
          const running = run(() => sleepForever(), { signal: controller.signal });
          await checkpoint();
          if (which === "scope") scope.cancel();
          else controller.abort();
          expect(await rejectionAs(Cancelled, running)).toHaveProperty("kind", which === "scope" ? "cancel" : "signal");
        }),
      );
    }
  });

  test("whose abort listeners throw is not disturbed", async () => {
    const controller = new AbortController();
    let seen: unknown;
    const running = run(
      async (nursery) => {
        nursery.startSoon(() =>
          sleepForever().catch((error) => {
            seen = error;
          }),
        );
        await sleep(1);
        controller.abort();
        await checkpoint();
      },
      { signal: controller.signal },
    );
    await rejectionOf(running);
    expect(seen).toBeInstanceOf(Cancelled);
  });
});

describe("a cancellation that a run rejects with, and that nobody awaits, is not reported as unhandled:", () => {
  test("by a foreign signal", async () => {
    const unhandled = await unhandledDuring(async () => {
      void run(() => sleepForever(), { signal: AbortSignal.timeout(1) });
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
    expect(unhandled).toEqual([]);
  });

  test("inside a scope that is cancelled", async () => {
    const unhandled = await unhandledDuring(() =>
      run(() =>
        new CancelScope().run(async (scope) => {
          void run(() => sleepForever());
          scope.cancel();
          await shield(() => sleep(1));
        }),
      ),
    );
    expect(unhandled).toEqual([]);
  });
});
