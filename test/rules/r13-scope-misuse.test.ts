import { expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  Event,
  Lock,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  park,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { refusal, rejection, thrown, untyped } from "./r13-refusal.js";

const AGAIN = /^the scope .*request was entered before: a scope is used once, so make a new one$/;

test("entering a scope twice: inside itself, beside itself, after its end", async () => {
  await simulate(async (nursery) => {
    const scope = new CancelScope({ name: "request", timeout: 5 });
    const again = async () => {
      const error = await rejection(() => scope.run(() => "again"));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(AGAIN);
    };
    nursery.startSoon(again);
    const value = await scope.run(async () => {
      await again();
      await sleep(1);
      await nursery.startSoon(again).join();
      // Its deadline is still that of the first entry.
      expect(scope.deadline).toBe(5);
      return "first";
    });
    expect(value).toBe("first");
    await again();
    expect(scope.cancelCalled).toBe(false);
  });
});

test("a task, a nursery or a scope of the library is in use already, and cannot be entered", async () => {
  await simulate(async (nursery) => {
    await nursery.startSoon(async (task) => expect(await rejection(() => task.run(() => {}))).toBeInstanceOf(UsageError)).join();
    expect(await rejection(() => nursery.run(() => {}))).toBeInstanceOf(UsageError);
    await moveOnAfter(5, async (scope) => expect(await rejection(() => scope.run(() => {}))).toBeInstanceOf(UsageError));
    expect(await nursery.startSoon(() => "works").join()).toBe("works");
  });
});

test("running something in a scope that has not been entered", async () => {
  await simulate(async (nursery) => {
    const scope = new CancelScope({ name: "request" });
    const calls: (() => unknown)[] = [
      () => sleep(1, scope),
      () => sleep(1, { signal: scope.signal }),
      () => checkpoint(scope),
      () => new Event().wait(scope),
      () => new Lock().acquire(scope),
      () => new Lock().acquireNowait(scope),
      () => park(() => {}, undefined, scope),
      () => moveOnAfter(1, () => {}, scope),
      () => openNursery(() => {}, scope),
      () => shield(() => {}, scope),
      () => nursery.startSoon(() => {}).join(scope),
      () => new CancelScope().run(() => {}, scope),
    ];
    for (const call of calls) {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/^the scope request has not been entered: use it inside the body of its run\(\)$/);
    }
    // It can still be used, once.
    expect(await scope.run(() => sleep(1, scope).then(() => "slept"))).toBe("slept");
  });
});

test("running something in a scope that has ended", async () => {
  await simulate(async (nursery) => {
    const scope = new CancelScope({ name: "request" });
    await scope.run(() => {});
    const calls: (() => unknown)[] = [
      () => sleep(0, scope),
      () => sleepForever({ signal: scope.signal }),
      () => checkpoint(scope),
      () => new Event().wait(scope),
      () => new Lock().acquire(scope),
      () => park(() => {}, undefined, scope),
      () => moveOnAfter(1, () => {}, scope),
      () => openNursery(() => {}, scope),
      () => nursery.startSoon(() => {}).join(scope),
      () => nursery.start((_task, started) => started(1), scope),
      () => new CancelScope().run(() => {}, scope),
      () => scope.throwIfCancelled(),
      () => scope.defer(() => {}),
      () => scope.use({ [Symbol.dispose]: () => {} }),
    ];
    for (const call of calls) {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(ScopeEndedError);
      expect((error as ScopeEndedError).scope).toMatch(/request$/);
      expect(error.message).toMatch(
        /^the scope .*request has ended: .* Await what you start, or start it in a nursery that lives long enough\.$/,
      );
    }
    expect(now()).toBe(0);
  });
});

test("what ends a scope can be called at any time, and has no effect after the end", async () => {
  await simulate(async () => {
    const scope = new CancelScope();
    await scope.run(() => {});
    scope.cancel();
    scope.deadline = 5;
    scope.shield = true;
    expect([scope.cancelCalled, scope.cancelledCaught, scope.signal.aborted]).toEqual([true, false, false]);
  });
});

test("a cleanup that is no function, and a resource that cannot be disposed", async () => {
  await simulate(async (nursery) => {
    expect(thrown(() => nursery.defer(untyped(Promise.resolve()))).message).toMatch(
      /^scope\.defer\(\) takes a function, and got a promise/,
    );
    expect(thrown(() => nursery.defer(untyped(undefined)))).toBeInstanceOf(UsageError);
    for (const value of [undefined, null, 5, "text", {}, { [Symbol.dispose]: 5 }, { dispose: () => {} }, () => {}]) {
      const error = thrown(() => nursery.use(untyped<Disposable>(value)));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(
        /takes an object with Symbol\.asyncDispose or Symbol\.dispose; for anything else there is scope\.defer\(\)$/,
      );
    }
  });
});

test("a shield that is neither true nor false", async () => {
  for (const value of [1, "yes", null, {}]) {
    const error = thrown(() => new CancelScope({ shield: untyped<boolean>(value) }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe("shield is true or false");
  }
  const scope = new CancelScope();
  expect(
    thrown(() => {
      scope.shield = untyped<boolean>(1);
    }),
  ).toBeInstanceOf(TypeError);
  expect(scope.shield).toBe(false);
});

test("a `start` of park() that is no function, or throws: nothing waits then", async () => {
  await simulate(async () => {
    expect((await rejection(() => park(untyped(Promise.resolve())))).message).toMatch(/^park\(\) takes a function, and got a promise/);
    const error = new Error("no such file");
    let handle: { wake(): boolean } | undefined;
    expect(
      await rejection(() =>
        park<void>((parked) => {
          handle = parked;
          throw error;
        }),
      ),
    ).toBe(error);
    expect(handle?.wake()).toBe(false);
  });
});

test("a body that throws synchronously, before it has a promise, is a body that fails", async () => {
  await simulate(async (nursery: Nursery) => {
    const error = new Error("at once");
    const fail = (): never => {
      throw error;
    };
    for (const call of [() => openNursery(fail), () => moveOnAfter(5, fail), () => new CancelScope().run(fail), () => shield(fail)]) {
      expect(await rejection(call)).toBe(error);
    }
    expect(await rejection(() => nursery.start(fail))).toBe(error);
    expect(nursery.cancelCalled).toBe(false);
  });
});
