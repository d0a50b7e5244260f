import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, now, run, scopeFromSignal, sleep, sleepForever, UsageError } from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

test("is cancelled by the signal, and catches that: run() resolves to undefined, and the code after it goes on", async () => {
  await simulate(async (nursery) => {
    const controller = new AbortController();
    const scope = scopeFromSignal(controller.signal);
    nursery.startSoon(() => sleep(5).then(() => controller.abort("gone")));
    expect(await scope.run(() => sleepForever())).toBe(undefined);
    expect([now(), scope.cancelCalled, scope.cancelledCaught]).toEqual([5, true, true]);
    expect(reasonOf(scope)).toMatchObject({
      kind: "signal",
      cause: "gone",
      message: 'cancelled: the signal given to root > scope was aborted: "gone"',
    });
    await checkpoint();
  });
});

test("resolves to the body's value, and leaves no listener, if the signal is not aborted; aborted later, nothing happens", async () => {
  await simulate(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const scope = scopeFromSignal(signal);
    expect(listeners(signal)).toBe(0);
    const value = await scope.run(() => {
      expect(listeners(signal)).toBe(1);
      return "value";
    });
    expect([value, listeners(signal)]).toEqual(["value", 0]);
    controller.abort();
    expect(scope.cancelCalled).toBe(false);
  });
});

test("leaves no listener however it ends, and has one listener for many scopes", async () => {
  await simulate(async () => {
    const { signal } = new AbortController();
    const boom = new Error("boom");
    const scopes = Array.from({ length: 20 }, () => scopeFromSignal(signal));
    const runs = scopes.map((scope, i) =>
      scope.run(async () => {
        await checkpoint();
        if (i % 3 === 0) throw boom;
        if (i % 3 === 1) scope.cancel();
        await checkpoint();
      }),
    );
    expect(listeners(signal)).toBe(1);
    await Promise.allSettled(runs);
    expect(listeners(signal)).toBe(0);
  });
});

test("of a signal that is aborted already is cancelled on entry", async () => {
  await simulate(async () => {
    const scope = scopeFromSignal(AbortSignal.abort("before"));
    await scope.run(async () => {
      expect(await rejectionOf(checkpoint())).toBe(reasonOf(scope));
      await checkpoint();
    });
    expect(scope.cancelledCaught).toBe(true);
  });
});

test("takes the options of a scope, and can be cancelled as any other; the first cause stays", async () => {
  await simulate(async () => {
    const controller = new AbortController();
    const scope = scopeFromSignal(controller.signal, { timeout: 5, name: "work" });
    await scope.run(async () => {
      await sleep(10).catch(() => {});
      controller.abort();
    });
    expect([scope.name, reasonOf(scope).kind, now()]).toEqual(["work", "deadline", 5]);
    expect(listeners(controller.signal)).toBe(0);
  });
});

test("a cancellation from outside is not caught, although the signal was aborted as well", async () => {
  await simulate(async () => {
    const controller = new AbortController();
    const outer = new CancelScope();
    const scope = scopeFromSignal(controller.signal);
    await outer.run(async () => {
      const running = scope.run(() => sleepForever());
      controller.abort();
      outer.cancel();
      expect(await rejectionOf(running)).toBe(reasonOf(scope));
      await checkpoint();
    });
    expect([scope.cancelledCaught, outer.cancelledCaught]).toEqual([false, true]);
  });
});

test("the signal of another scope will do: the two are told apart", async () => {
  await simulate(async (nursery) => {
    const other = new CancelScope({ name: "other" });
    nursery.startSoon(() => other.run(() => sleepForever()));
    await checkpoint();
    const scope = scopeFromSignal(other.signal);
    nursery.startSoon(() => sleep(1).then(() => other.cancel()));
    await scope.run(() => sleepForever());
    expect([scope.cancelledCaught, reasonOf(scope)]).toEqual([true, reasonOf(other)]);
    await checkpoint();
  });
});

test("works where scopes are passed as arguments, in the scope around", async () => {
  await run(
    async (root) => {
      const controller = new AbortController();
      const scope = scopeFromSignal(controller.signal);
      const running = scope.run((own) => sleepForever(own), root);
      controller.abort();
      expect([await running, scope.cancelledCaught]).toEqual([undefined, true]);
    },
    { ambient: false },
  );
});

test("what is no signal, and entering it twice, are mistakes", async () => {
  for (const wrong of [undefined, null, 5, {}, new AbortController(), new EventTarget(), { aborted: false }]) {
    expect(thrownBy(() => scopeFromSignal(wrong as unknown as AbortSignal))).toBeInstanceOf(TypeError);
  }
  const error = thrownBy(() => scopeFromSignal("x" as unknown as AbortSignal));
  expect((error as Error).message).toBe('scopeFromSignal() takes an AbortSignal, not "x"');
  await simulate(async () => {
    const { signal } = new AbortController();
    const scope = scopeFromSignal(signal);
    await scope.run(() => {});
    await rejectionAs(
      UsageError,
      scope.run(() => {}),
    );
    expect(listeners(signal)).toBe(0);
  });
});

describe("under random schedules", () => {
  test("it is cancelled iff its signal was aborted, or its own deadline came, before its end", async () => {
    const time = fc.option(fc.nat({ max: 6 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(time, time, fc.nat({ max: 6 }), fc.boolean(), schedules(), async (abortAt, timeout, ms, isEarly, schedule) => {
        await simulate(
          async (root) => {
            const controller = new AbortController();
            const abort = () => controller.abort();
            if (isEarly && abortAt !== undefined) abort();
            else if (abortAt !== undefined) root.startSoon(() => sleep(abortAt + 0.5).then(abort));
            const scope = scopeFromSignal(controller.signal, { timeout });
            const value = await scope.run(() => sleep(ms).then(() => "value"));
            const causes = [
              abortAt === undefined ? Number.POSITIVE_INFINITY : isEarly ? -1 : abortAt + 0.5,
              timeout ?? Number.POSITIVE_INFINITY,
            ];
            // A deadline of an instant comes before a sleeper's end.
            const isCancelled = Math.min(...causes) <= ms;
            expect([value, scope.cancelledCaught]).toEqual(isCancelled ? [undefined, true] : ["value", false]);
            expect(listeners(controller.signal)).toBe(0);
          },
          { pick: pickOf(schedule) },
        );
      }),
      { numRuns: 500 },
    );
  });
});
