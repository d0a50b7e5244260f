import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  ErrorGroup,
  MissingScopeError,
  type Nursery,
  now,
  openNursery,
  type RunOptions,
  run,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { productionRuntime } from "../../src/kernel/production-runtime.js";
import { simulate } from "../../src/testing/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "./support.js";

const boom = new Error("boom");

describe("run()", () => {
  test("resolves to the value of its body, when all tasks have ended", async () => {
    let ended = false;
    const value = await run((nursery) => {
      nursery.startSoon(async () => {
        await sleep(2);
        ended = true;
      });
      return "value";
    });
    expect([value, ended]).toEqual(["value", true]);
  });

  test("rejects with the very failure, of the body or of a task; with several as a group", async () => {
    expect(await rejectionOf(run(() => Promise.reject(boom)))).toBe(boom);
    expect(await rejectionOf(run((nursery) => void nursery.startSoon(() => Promise.reject(boom))))).toBe(boom);
    const both = run((nursery) => {
      nursery.startSoon(() => Promise.reject("task"));
      throw boom;
    });
    expect((await rejectionAs(ErrorGroup, both)).errors).toEqual([boom, "task"]);
  });

  test('groups always with errors: "group"', async () => {
    const failing = run(() => Promise.reject(boom), { errors: "group" });
    expect((await rejectionAs(ErrorGroup, failing)).errors).toEqual([boom]);
  });

  test("resolves to undefined if its own cancel() cut its body off", async () => {
    const value = await run(async (nursery) => {
      nursery.cancel();
      await checkpoint();
      return "never";
    });
    expect(value).toBe(undefined);
  });

  test("names its root", async () => {
    expect(await run((root) => root.name)).toBe("root");
    expect(await run((root) => root.name, { name: "server" })).toBe("server");
  });

  test("begins its body synchronously", () => {
    let begun = false;
    void run(() => {
      begun = true;
    });
    expect(begun).toBe(true);
  });

  test("of a body that is no function rejects", async () => {
    expect(await rejectionOf(run(undefined as never))).toEqual(new UsageError("run() takes a function, not undefined"));
  });

  test("R12: leaves nothing behind: no timer keeps the process alive", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
    const before = timers();
    const controller = new AbortController();
    const running = run(
      async (nursery) => {
        nursery.startSoon(() => sleep(3_600_000));
        nursery.deadline = now() + 3_600_000;
        await sleep(1);
        expect(timers()).toBe(before + 1);
        controller.abort();
      },
      { signal: controller.signal },
    );
    await rejectionOf(running);
    expect(timers()).toBe(before);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("run() inside a scope", () => {
  test("is a child of it: cancelled with it, and waited for", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      let ended = -1;
      await scope.run(async () => {
        const inner = run(() =>
          sleepForever().finally(async () => {
            await shield(() => sleep(5));
            ended = now();
          }),
        );
        scope.cancel();
        expect(await rejectionOf(inner)).toBe(reasonOf(scope));
      });
      expect(ended).toBe(5);
    });
  });

  test("has no main task of its own", async () => {
    await simulate(async (outer) => {
      await outer
        .startSoon(async (task) => {
          await run(() => expect(currentTask()).toBe(task));
        })
        .join();
    });
  });

  test("shares its runtime, and takes none", async () => {
    await simulate(async () => {
      await run(() => sleep(1e9));
      expect(now()).toBe(1e9);
      const message = "a run inside another one shares its runtime: give `runtime` to the outer one, or `detached: true` to this one";
      expect(await rejectionOf(run(() => {}, { runtime: productionRuntime }))).toEqual(new UsageError(message));
    });
  });

  test("detached, is a root of its own: not cancelled with it, and not waited for", async () => {
    let ended = "not yet";
    let detached: Promise<unknown> | undefined;
    const scope = new CancelScope();
    await run(() =>
      scope.run(async () => {
        detached = run(
          async (nursery) => {
            await sleep(5);
            ended = currentScope() === nursery ? "in its own scope" : "elsewhere";
          },
          { detached: true },
        );
        scope.cancel();
        await checkpoint();
      }),
    );
    expect([scope.cancelledCaught, ended]).toEqual([true, "not yet"]);
    await detached;
    expect(ended).toBe("in its own scope");
  });

  test("detached, can be given a runtime", async () => {
    await simulate(async () => {
      await sleep(1e9);
      const real = await run(() => now(), { detached: true, runtime: productionRuntime });
      expect(real).toBeLessThan(1e9);
    });
  });

  test("passes its options on: name, errors, cleanupTimeout", async () => {
    await simulate(async () => {
      const failing = run(
        (nursery) => {
          nursery.defer(() => sleepForever());
          throw boom;
        },
        { name: "inner", errors: "group", cleanupTimeout: 5 },
      );
      const group = await rejectionAs(ErrorGroup, failing);
      expect(group.errors).toEqual([boom, expect.objectContaining({ name: "TimeoutError" })]);
      expect(group.message).toContain("2 errors in root > inner (");
      expect(now()).toBe(5);
    });
  });
});

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

describe("run({ ambient: false })", () => {
  test("has no ambient scope: it is passed", async () => {
    await run(
      async (nursery) => {
        expect(await rejectionOf(sleep(1))).toBeInstanceOf(MissingScopeError);
        await sleep(1, nursery);
        await openNursery(async (inner) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          inner.startSoon(async (task) => {
            expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
            await shield(async (own) => {
              expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
              await checkpoint(own);
            }, task);
          });
        }, nursery);
      },
      { ambient: false },
    );
  });

  test("inside another run hides that one's ambient scope, for its own duration", async () => {
    await run(async (outer) => {
      await run(
        async (inner) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          await checkpoint(inner);
        },
        { ambient: false },
      );
      expect(currentScope()).toBe(outer);
    });
  });

  test("leaves the other async contexts alone", async () => {
    const storage = new AsyncLocalStorage<string>();
    await storage.run("mine", () =>
      run(
        async (nursery) => {
          await sleep(1, nursery);
          expect(storage.getStore()).toBe("mine");
        },
        { ambient: false },
      ),
    );
  });

  test("is inherited by what is inside, however it is entered", async () => {
    await run(
      async (nursery) => {
        await nursery.start(async (task, started: (value: number) => void) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          started(1);
          await checkpoint(task);
        }, nursery);
      },
      { ambient: false },
    );
  });
});

describe("run({ debug })", () => {
  const made = async (options: RunOptions): Promise<string> => {
    const failing = run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      await sleep(1, scope);
    }, options);
    return (await rejectionAs(UsageError, failing)).message;
  };

  test("keeps where things are made, for the errors", async () => {
    expect(await made({ debug: true })).toMatch(/started .*run\.test\.ts/);
    expect(await made({ debug: false })).not.toContain("started ");
  });

  test("is on by default where CRECHE_DEBUG=1 is set", async () => {
    const { CRECHE_DEBUG: before } = process.env;
    try {
      process.env["CRECHE_DEBUG"] = "1";
      expect(await made({})).toMatch(/started .*run\.test\.ts/);
      expect(await made({ debug: false })).not.toContain("started ");
      process.env["CRECHE_DEBUG"] = "0";
      expect(await made({})).not.toContain("started ");
    } finally {
      if (before === undefined) delete process.env["CRECHE_DEBUG"];
      else process.env["CRECHE_DEBUG"] = before;
    }
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
