import { describe, expect, test, vi } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  Event,
  failAfter,
  isCancellation,
  Lock,
  MissingScopeError,
  moveOnAfter,
  Nursery,
  now,
  openNursery,
  park,
  run,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

// A platform without anything that follows a call through its awaits, as browsers are.
vi.mock("#context", () => import("../../src/kernel/context.none.js"));

const message =
  "there is no scope here, so what this call starts would belong to nobody. This platform has nothing that follows a call through its awaits, so pass a scope (or { signal }) as the last argument.";

describe("without an ambient scope", () => {
  test("what is passed none says the remedy, also inside a run", async () => {
    const calls: [name: string, call: () => PromiseLike<unknown>][] = [
      ["sleep()", () => sleep(1)],
      ["checkpoint()", () => checkpoint()],
      ["park()", () => park(() => {})],
      ["openNursery()", () => openNursery(() => {})],
      ["scope.run()", () => new CancelScope().run(() => {})],
      ["moveOnAfter()", () => moveOnAfter(1, () => {})],
      ["shield()", () => shield(() => {})],
      ["event.wait()", () => new Event().wait()],
      ["lock.acquire()", () => new Lock().acquire()],
    ];
    await run(async () => {
      for (const [name, call] of calls)
        expect([name, await rejectionAs(MissingScopeError, call())]).toEqual([name, new MissingScopeError(message)]);
      for (const call of [() => currentScope(), () => currentTask(), () => Nursery.open(), () => new Lock().release()]) {
        expect(thrownBy(call)).toEqual(new MissingScopeError(message));
      }
    });
  });

  test("scopes that are passed work", async () => {
    const log: string[] = [];
    const value = await run(async (nursery) => {
      nursery.startSoon(async (task) => {
        await sleep(1, task);
        log.push("slept");
        await openNursery(async (inner) => {
          inner.startSoon((own) => checkpoint(own));
          await inner.startSoon(() => "joined").join(inner);
        }, task);
      });
      const lock = new Lock();
      await lock.run(() => checkpoint(nursery), nursery);
      expect(await rejectionOf(failAfter(1, (scope) => sleepForever(scope), nursery))).toBeInstanceOf(TimeoutError);
      expect(await moveOnAfter(1, (scope) => sleepForever(scope), nursery)).toBe(undefined);
      return shield((scope) => sleep(1, scope).then(() => "value"), nursery);
    });
    expect([value, log]).toEqual(["value", ["slept"]]);
  });

  test("tasks are told apart by the scopes that are passed", async () => {
    await run(async (nursery) => {
      expect(currentTask(nursery).name).toBe("main");
      await nursery.startSoon((task) => expect(currentTask(task)).toBe(task)).join(nursery);
    });
  });

  test("a cancellation reaches everything, by the tree and by signals", async () => {
    const controller = new AbortController();
    let seen: unknown;
    const running = run(
      async (nursery) => {
        nursery.startSoon(async (task) => {
          seen = await rejectionOf(sleepForever(task));
          expect(isCancellation(seen, task)).toBe(true);
        });
        await sleep(1, nursery);
        controller.abort("enough");
        await checkpoint(nursery);
      },
      { signal: controller.signal },
    );
    expect(await rejectionOf(running)).toBe(seen);
  });

  test("a run inside a run is a child of it only where a scope of it is passed", async () => {
    await run(async (outer) => {
      const inner = new CancelScope();
      await inner.run(async () => {
        const child = run((own) => sleepForever(own), { signal: inner.signal });
        const stranger = run((own) => sleep(2, own).then(() => "value"));
        inner.cancel();
        expect(await rejectionOf(child)).toBe(inner.signal.reason);
        expect(await stranger).toBe("value");
      }, outer);
    });
  });

  test("isCancellation() without a scope tells a Cancelled by its class", async () => {
    await run(async (root) => {
      const scope = new CancelScope();
      await scope.run(() => scope.cancel(), root);
      expect(isCancellation(scope.signal.reason)).toBe(true);
      expect(isCancellation(new DOMException("no link", "AbortError"))).toBe(false);
    });
  });

  test("now() is the time of the platform; that of a simulation is told by its scopes", async () => {
    await simulate(async (root) => {
      await sleep(1e12, root);
      expect(now()).toBeLessThan(1e12);
      root.deadline = 1e12 + 5;
      expect(root.remaining).toBe(5);
    });
  });

  test("many nested bodies begin without overflowing the stack", async () => {
    const descend = (depth: number, scope: CancelScope): Promise<unknown> =>
      new CancelScope().run((own) => (depth === 0 ? "bottom" : descend(depth - 1, own)), scope);
    expect(await run((root) => descend(5_000, root))).toBe("bottom");
  });

  test("what would set an ambient scope just calls the body, with what it is to be passed", async () => {
    const { withAmbientScope, enterAmbientScope, ambientScope } = await import("#context");
    await run((root) => {
      expect(withAmbientScope(root, (n: number) => [n, ambientScope()], 1)).toEqual([1, undefined]);
      expect(enterAmbientScope(root, (n: number) => [n, ambientScope()], 2)).toEqual([2, undefined]);
    });
  });

  test("a signal with many listeners is none of its business", async () => {
    await run((root) => {
      root.signal.addEventListener("abort", () => {});
      expect(root.signal.aborted).toBe(false);
    });
  });
});
