import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  ErrorGroup,
  Event,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { productionRuntime } from "../../src/kernel/production-runtime.js";
import { watchPlatform } from "../rules/r12-platform-watch.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf } from "./support.js";

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
    const controller = new AbortController();
    const { armed, ticking } = await watchPlatform(() =>
      rejectionOf(
        run(
          async (nursery) => {
            nursery.startSoon(() => sleep(3_600_000));
            nursery.deadline = now() + 3_600_000;
            await sleep(1);
            controller.abort();
          },
          { signal: controller.signal },
        ),
      ),
    );
    expect(armed).toBeGreaterThan(0);
    expect(ticking).toBe(0);
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
    const gate = new Event();
    const scope = new CancelScope();
    await run(() =>
      scope.run(async () => {
        detached = run(
          async (nursery) => {
            await gate.wait();
            ended = currentScope() === nursery ? "in its own scope" : "elsewhere";
          },
          { detached: true },
        );
        scope.cancel();
        await checkpoint();
      }),
    );
    expect([scope.cancelledCaught, ended]).toEqual([true, "not yet"]);
    gate.set();
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
