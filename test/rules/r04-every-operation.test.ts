import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, openNursery, shield, sleep, sleepForever } from "../../src/index.js";
import { type Operation, READY, WAITING } from "../support/operations.js";
import { simulate } from "../support/simulate.js";

type Body = (scope: CancelScope) => Promise<void>;

async function untilCancelled(): Promise<void> {
  await sleepForever().catch(() => {});
}

/** Ways to have a body run in a scope that is cancelled. */
const CANCELLED: Readonly<Record<string, (body: Body) => Promise<unknown>>> = {
  "its own cancel()": (body) =>
    new CancelScope().run((scope) => {
      scope.cancel();
      return body(scope);
    }),
  "its own cancel() before it was entered": (body) => {
    const scope = new CancelScope();
    scope.cancel();
    return scope.run(body);
  },
  "its own deadline": (body) =>
    new CancelScope({ timeout: 1 }).run(async (scope) => {
      await shield(() => sleep(2));
      await body(scope);
    }),
  "the cancel() of a scope around": (body) =>
    new CancelScope().run((outer) =>
      new CancelScope().run((scope) => {
        outer.cancel();
        return body(scope);
      }),
    ),
  "a failure beside it": (body) =>
    openNursery((nursery) => {
      nursery.startSoon(async (task) => {
        await untilCancelled();
        await body(task);
      });
      nursery.startSoon(() => Promise.reject("expected"));
    }).catch((error) => expect(error).toBe("expected")),
  "the end of what a background task belongs to": (body) =>
    openNursery((nursery) => {
      nursery.startSoon(
        async (task) => {
          await untilCancelled();
          await body(task);
        },
        { background: true },
      );
    }),
  "a foreign signal": (body) => {
    const controller = new AbortController();
    const outcome = openNursery(
      async (nursery) => {
        controller.abort("expected");
        await body(nursery);
      },
      { signal: controller.signal },
    );
    return outcome.catch((error) => expect(error.cause).toBe("expected"));
  },
};

/** It throws the reason of the scope, and has no effect. */
async function refused({ run, effect }: Operation, scope: CancelScope): Promise<void> {
  const { reason } = scope.signal;
  expect(reason).toBeInstanceOf(Cancelled);
  const before = effect();
  for (const where of [undefined, scope, { signal: scope.signal }]) {
    let error: unknown = "none";
    // Nothing is waited for, so nothing may be left that waits, from the first moment on.
    const promise = run(where).catch((thrown) => {
      error = thrown;
    });
    expect(effect()).toEqual(before);
    await promise;
    expect(error).toBe(reason);
    expect(effect()).toEqual(before);
  }
}

describe.each(Object.entries(CANCELLED))("R4: in a scope that is cancelled by %s", (_, cancelled) => {
  test.each(
    Object.entries({ ...READY, ...WAITING }),
  )("%s throws, again and again, also in catch and finally, until the end of the scope", async (name, making) => {
    let ends = 0;
    await simulate(async (root) => {
      const operation = await making(root);
      const outcome = cancelled(async (scope) => {
        try {
          await refused(operation, scope);
          await operation.run();
        } catch (error) {
          expect(error).toBe(scope.signal.reason);
          await refused(operation, scope);
          if (name in READY) await shield(() => operation.run());
          await refused(operation, scope);
          throw error;
        } finally {
          await refused(operation, scope);
          ends++;
        }
      });
      await outcome;
      if (name in READY) await operation.run();
      ends++;
    });
    expect(ends).toBe(2);
  });
});
