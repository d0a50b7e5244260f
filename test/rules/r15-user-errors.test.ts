import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  type ErrorGroup,
  isCancellation,
  moveOnAfter,
  openNursery,
  run,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { type SimulateOptions, simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";
import { caught, PLACES, raise } from "./r15-places.js";
import { SPECIMENS } from "./r15-specimens.js";

/** What hangs here is to be told soon. */
const SOON: SimulateOptions = { settleMs: 20 };

/** The body's value, if nothing was reported to the process. */
async function quietly<T>(body: () => Promise<T>): Promise<T> {
  const { value, unhandled, uncaught } = await watchProcess(body);
  expect([unhandled.length, uncaught.length]).toEqual([0, 0]);
  return value;
}

test.each(SPECIMENS)("$name comes out of every place as itself, is not touched, and breaks nothing", async ({ make }) => {
  for (const [place, throwIn] of Object.entries(PLACES)) {
    const { value, verify } = make();
    const outcome = await quietly(() =>
      simulate(async (nursery) => {
        const outcome = await throwIn(value, nursery);
        expect([place, await openNursery((inner) => inner.startSoon(() => sleep(1)).join())]).toEqual([place, undefined]);
        return outcome;
      }, SOON).catch((error: unknown) => [place, "broke the run by", error]),
    );
    // Not handed to `expect` as they are: what is printed is looked at.
    const isItself = typeof outcome === "object" && "error" in outcome && Object.is(outcome.error, value);
    expect([place, isItself]).toEqual([place, true]);
    verify();
  }
});

test.each(SPECIMENS)("$name ends a run in production as itself", async ({ make }) => {
  const { value, verify } = make();
  for (const options of [{}, { ambient: false }]) {
    const outcome = await quietly(() => caught(run((nursery) => void nursery.startSoon(raise(value)), options)));
    expect(outcome !== "nothing was thrown" && Object.is(outcome.error, value)).toBe(true);
  }
  verify();
});

test.each(SPECIMENS)("$name is itself in a group, and keeps its place there", async ({ make }) => {
  const { value, verify } = make();
  const all = [new Error("before"), value, new Error("after")];
  const outcome = await quietly(() =>
    simulate(() => {
      const failing = openNursery((nursery) => {
        for (const thrown of all) nursery.startSoon(raise(thrown));
      });
      return caught(failing);
    }, SOON).catch(() => undefined),
  );
  const { error } = outcome as { error: ErrorGroup };
  expect(error.name).toBe("ErrorGroup");
  expect(error.errors.map((one, i) => Object.is(one, all[i]))).toEqual([true, true, true]);
  expect(error.message).toMatch(/^3 errors in root > nursery \(Error: before; .*; Error: after\)$/);
  verify();
});

test.each(SPECIMENS)("$name may be what cancel() is passed, and is the cause of the cancellation as itself", async ({ make }) => {
  const { value, verify } = make();
  await quietly(() =>
    simulate(async () => {
      const scope = new CancelScope();
      await scope.run(() => {
        scope.cancel(value);
        return sleepForever();
      });
      expect(scope.cancelledCaught).toBe(true);
      const reason = scope.signal.reason as Cancelled;
      expect(reason).toBeInstanceOf(Cancelled);
      expect(Object.is(reason.cause, value)).toBe(true);
      expect(reason.message).toMatch(/^cancelled: cancel\(\) was called on root > scope/);
    }),
  );
  verify();
});

test.each(SPECIMENS)("$name may be the reason of a foreign signal, that is aborted before or meanwhile", async ({ make }) => {
  const { value, verify } = make();
  // abort() itself replaces it by an error of its own.
  if (value === undefined) return;
  for (const isAborted of [true, false]) {
    const controller = new AbortController();
    if (isAborted) controller.abort(value);
    const outcome = await quietly(() =>
      simulate((nursery) => {
        nursery.startSoon(() => sleep(1).then(() => controller.abort(value)));
        return caught(sleepForever({ signal: controller.signal }));
      }, SOON).catch(() => "the run was broken"),
    );
    const { error } = outcome as { error: Cancelled };
    expect(error).toBeInstanceOf(Cancelled);
    expect([error.kind, Object.is(error.cause, value)]).toEqual(["signal", true]);
  }
  verify();
});

test.each(SPECIMENS)("isCancellation() can be asked about $name, wherever", async ({ make }) => {
  const { value, verify } = make();
  expect(isCancellation(value)).toBe(false);
  await simulate(async () => {
    expect(isCancellation(value)).toBe(false);
    await moveOnAfter(5, (scope) => {
      scope.cancel();
      expect(isCancellation(value)).toBe(false);
    });
  });
  verify();
});

test("an error that carries a cancellation, as its cause or in an aggregate, is not changed by being looked through", async () => {
  await simulate(async () => {
    const scope = new CancelScope();
    await scope.run(async () => {
      scope.cancel();
      const reason = scope.signal.reason as Cancelled;
      const genuine = new Error("genuine");
      const mixed = Object.freeze(new AggregateError(Object.freeze([reason, genuine]), "mixed"));
      const wrapped = Object.freeze(new Error("wrapped", { cause: reason }));
      expect(await caught(openNursery(raise(mixed)))).toEqual({ error: genuine });
      expect(mixed.errors).toEqual([reason, genuine]);
      expect(isCancellation(wrapped)).toBe(true);
      expect(wrapped.cause).toBe(reason);
    });
  });
});

test("a result that cannot be asked whether it is disposable hangs nothing", async () => {
  const broken = new Error("asked");
  const result = new Proxy({}, { has: raise(broken) });
  const outcome = await quietly(() =>
    simulate(() => openNursery((nursery) => void nursery.startSoon(() => result)), SOON).then(
      () => "ended",
      (error: unknown) => (error === broken ? "ended" : error),
    ),
  );
  expect(outcome).toBe("ended");
});
