import { expect, test } from "vitest";
import { CancelScope, now, run, sleep } from "../../src/index.js";
import { productionRuntime } from "../../src/kernel/production-runtime.js";
import type { Runtime, Timer } from "../../src/kernel/runtime.js";

/** The production runtime, and weak references to all timers that it was given. */
function watched(timers: WeakRef<Timer>[]): Runtime {
  return new Proxy(productionRuntime, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (key === "setTimer") timers.push(new WeakRef(given[0] as Timer));
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}

async function countKept(timers: WeakRef<Timer>[]): Promise<number> {
  // A target is held until the end of the job in which its WeakRef was made.
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  return timers.filter((timer) => timer.deref() !== undefined).length;
}

test("a deadline that is moved 100,000 times leaves next to nothing behind, while the scope lives and after it", async () => {
  const timers: WeakRef<Timer>[] = [];
  await run(
    async (root) => {
      root.deadline = now() + 1e9;
      const scope = new CancelScope({ timeout: 1e6 });
      await scope.run(async () => {
        for (let i = 0; i < 100_000; i++) scope.deadline = now() + 1e6 + (i % 7) * 1_000;
        expect(await countKept(timers)).toBeLessThan(2_000);
      });
    },
    { runtime: watched(timers) },
  );
  expect(timers.length).toBeGreaterThan(100_000);
  expect(await countKept(timers)).toBeLessThan(3);
});

test("scopes that end before their deadline leave next to nothing behind", async () => {
  const timers: WeakRef<Timer>[] = [];
  await run(
    async (root) => {
      root.deadline = now() + 1e9;
      for (let i = 0; i < 20_000; i++) await new CancelScope({ timeout: 1e6 + i }).run(() => i);
      expect(await countKept(timers)).toBeLessThan(2_000);
      await sleep(1);
    },
    { runtime: watched(timers) },
  );
  expect(await countKept(timers)).toBeLessThan(3);
});
