import { EventEmitter, getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentEffectiveDeadline,
  currentScope,
  currentTask,
  MissingScopeError,
  moveOnAfter,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionOf, thrownBy } from "./support.js";

test("now(scope) tells the time of that scope's run, also where no scope is ambient", async () => {
  const times = await simulate(
    async (root) => {
      await sleep(5, root);
      return [now(root), now({ signal: root.signal })];
    },
    { ambient: false },
  );
  expect(times).toEqual([5, 5]);
});

describe("the ambient scope", () => {
  test("is the innermost scope whose body runs", async () => {
    await simulate(async (root) => {
      expect(currentScope()).toBe(root);
      await new CancelScope().run(async (scope) => {
        expect(currentScope()).toBe(scope);
        await sleep(1);
        expect(currentScope()).toBe(scope);
        await openNursery(async (nursery) => {
          expect(currentScope()).toBe(nursery);
          await nursery.startSoon(async (task) => expect(currentScope()).toBe(task)).join();
        });
        await shield((inner) => expect(currentScope()).toBe(inner));
      });
      expect(currentScope()).toBe(root);
    });
  });

  test("follows callbacks that the platform calls for the code: timers, microtasks, promises", async () => {
    await run(async () => {
      await new CancelScope().run(async (scope) => {
        const seenBy = (callLater: (callback: () => void) => unknown) =>
          new Promise((resolve) => void callLater(() => resolve(currentScope())));
        expect(await seenBy(queueMicrotask)).toBe(scope);
        expect(await seenBy(setImmediate)).toBe(scope);
        expect(await seenBy((callback) => setTimeout(callback, 1))).toBe(scope);
        expect(await seenBy((callback) => Promise.resolve().then(callback))).toBe(scope);
      });
    });
  });

  test("of an emitter's listener is that of whoever emits", async () => {
    const emitter = new EventEmitter();
    await run(async (root) => {
      let seen: unknown;
      await new CancelScope().run(() => {
        emitter.once("event", () => {
          seen = currentScope();
        });
      });
      emitter.emit("event");
      expect(seen).toBe(root);
    });
  });

  test("of an abort listener is that of whoever aborts", async () => {
    await simulate(async (root) => {
      let seen: unknown;
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.signal.addEventListener("abort", () => {
          seen = currentScope();
        });
        root.startSoon(() => scope.cancel(), { name: "canceller" });
        await checkpoint();
      });
      expect(seen).toMatchObject({ name: "canceller" });
    });
  });

  test("of two runs at the same time is each one's own", async () => {
    await Promise.all(
      [1, 2].map(() =>
        run(async (root) => {
          await sleep(1);
          expect(currentScope()).toBe(root);
        }),
      ),
    );
  });

  test("does not exist outside a run", async () => {
    for (const call of [() => currentScope(), () => currentTask(), () => currentEffectiveDeadline()]) {
      expect(thrownBy(call)).toBeInstanceOf(MissingScopeError);
    }
    await run(() => {});
    expect(thrownBy(() => currentScope())).toBeInstanceOf(MissingScopeError);
  });
});

describe("currentTask()", () => {
  test("is the nearest task at or above the ambient scope, or the one that it is passed", async () => {
    await simulate(async (root) => {
      const main = currentTask();
      expect([main.name, main.state]).toEqual(["main", "running"]);
      const task = root.startSoon(async (own) => {
        expect(currentTask()).toBe(own);
        await shield((inner) => {
          expect(currentTask()).toBe(own);
          expect(currentTask(inner)).toBe(own);
          expect(currentTask(root)).toBe(main);
          expect(currentTask({ signal: root.signal })).toBe(main);
        });
        await openNursery((nursery) => expect(currentTask(nursery)).toBe(own));
      });
      expect(currentTask(task)).toBe(task);
    });
  });

  test("under a foreign signal is that of the code around; where there is none it is misuse", async () => {
    const { signal } = new AbortController();
    await simulate(() => expect(currentTask({ signal }).name).toBe("main"));
    expect(thrownBy(() => currentTask({ signal }))).toEqual(new UsageError("there is no task here, only a signal: call it inside run()"));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("currentEffectiveDeadline()", () => {
  test("is that of the ambient scope, or of the one that it is passed", async () => {
    await simulate(() =>
      moveOnAfter(10, (outer) =>
        shield(() => {
          expect(currentEffectiveDeadline()).toBe(Number.POSITIVE_INFINITY);
          expect(currentEffectiveDeadline(outer)).toBe(10);
          expect(currentEffectiveDeadline({ signal: outer.signal })).toBe(10);
        }),
      ),
    );
  });

  test("of a foreign signal lets go of it", () => {
    const { signal } = new AbortController();
    expect(currentEffectiveDeadline({ signal })).toBe(Number.POSITIVE_INFINITY);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(currentEffectiveDeadline({ signal: AbortSignal.abort() })).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("now()", () => {
  test("is the time of the run around, which is virtual in a simulation", async () => {
    await simulate(
      async () => {
        expect(now()).toBe(100);
        await sleepUntil(1_000);
        expect(now()).toBe(1_000);
      },
      { startTime: 100 },
    );
  });

  test("in real time and outside a run is monotonic, in milliseconds", async () => {
    const outside = now();
    const inside = await run(() => now());
    expect(inside).toBeGreaterThanOrEqual(outside);
    expect(Math.abs(outside - performance.now())).toBeLessThan(60_000);
  });
});

describe("a scope, its signal, and an object with its signal", () => {
  test("are the same place: no listener, no scope in between", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        shield(async () => {
          const { signal } = outer;
          const waiting = [
            sleepForever(outer),
            sleepForever({ signal }),
            sleepForever({ signal, cause: "other options" } as { signal: AbortSignal }),
          ];
          expect(getEventListeners(signal, "abort")).toEqual([]);
          outer.cancel();
          for (const each of waiting) expect(await rejectionOf(each)).toBe(reasonOf(outer));
        }),
      ),
    );
  });

  test("whose signal has many listeners warns of no leak", async () => {
    const warnings: unknown[] = [];
    const note = (warning: unknown) => warnings.push(warning);
    process.on("warning", note);
    await run((root) => {
      for (let i = 0; i < 50; i++) root.signal.addEventListener("abort", () => {});
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  test("a signal that is read late is aborted already, if the scope is cancelled", async () => {
    await simulate(() =>
      new CancelScope().run((scope) => {
        scope.cancel("why");
        expect(scope.signal.aborted).toBe(true);
        expect(scope.signal.reason).toMatchObject({ cause: "why" });
      }),
    );
  });
});

describe("a foreign signal", () => {
  test("makes the one call part of the ambient scope and of itself", async () => {
    for (const which of ["scope", "signal"]) {
      await simulate(() =>
        new CancelScope().run(async (scope) => {
          const controller = new AbortController();
          const waiting = sleepForever({ signal: controller.signal });
          await checkpoint();
          if (which === "scope") scope.cancel();
          else controller.abort("foreign");
          const error = await rejectionOf(waiting);
          if (which === "scope") expect(error).toBe(reasonOf(scope));
          else expect(error).toMatchObject({ kind: "signal", scope: "root > signal", cause: "foreign" });
        }),
      );
    }
  });

  test("without a scope around makes it a tree of its own", async () => {
    const controller = new AbortController();
    const waiting = sleepForever(controller);
    controller.abort("foreign");
    expect(await rejectionOf(waiting)).toMatchObject({ kind: "signal", scope: "signal", cause: "foreign" });
    await sleep(1, { signal: new AbortController().signal });
    expect(await moveOnAfter(1, () => sleepForever(), { signal: new AbortController().signal })).toBe(undefined);
  });

  test("that was aborted before keeps the call from beginning", async () => {
    await simulate(async () => {
      expect(await rejectionOf(sleep(5, { signal: AbortSignal.abort("early") }))).toMatchObject({ kind: "signal", cause: "early" });
      expect(now()).toBe(0);
    });
  });

  test("an AbortController is an object with a signal", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      const waiting = sleepForever(controller);
      controller.abort();
      expect(await rejectionOf(waiting)).toMatchObject({ kind: "signal" });
    });
  });

  test("given to a scope's run() holds for all that is in it", async () => {
    await simulate(async (nursery) => {
      const controller = new AbortController();
      let task: Task | undefined;
      const running = openNursery(
        (own) => {
          task = own.startSoon(() => sleepForever());
        },
        { signal: controller.signal },
      );
      await sleep(1);
      controller.abort();
      expect(await rejectionOf(running)).toMatchObject({ kind: "signal" });
      expect(task?.state).toBe("cancelled");
      expect(nursery.cancelCalled).toBe(false);
    });
  });
});
