import { afterEach, describe, expect, test, vi } from "vitest";
import { failAfter, moveOnAfter, now, run, sleep } from "../../src/index.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Of what the platform was asked. */
function spied() {
  return { armed: vi.spyOn(globalThis, "setTimeout"), cleared: vi.spyOn(globalThis, "clearTimeout") };
}

describe("the timer of the platform", () => {
  test("is armed once for all timeouts that are left in time, and is gone when the run has ended", async () => {
    const { armed, cleared } = spied();
    await run(async () => {
      for (let i = 0; i < 100; i++) await failAfter(60_000 + i, () => Promise.resolve());
      expect(armed).toHaveBeenCalledTimes(1);
      expect(cleared).not.toHaveBeenCalled();
    });
    expect(cleared).toHaveBeenCalledExactlyOnceWith(armed.mock.results[0]?.value);
  });

  test("does not keep the process alive while nothing waits for it", async () => {
    const { armed } = spied();
    const keepsAlive = () => (armed.mock.results.at(-1)?.value as NodeJS.Timeout).hasRef();
    await run(async () => {
      expect(await moveOnAfter(60_000, () => keepsAlive())).toBe(true);
      expect(keepsAlive()).toBe(false);
      expect(await moveOnAfter(70_000, () => keepsAlive())).toBe(true);
      expect(keepsAlive()).toBe(false);
      expect(armed).toHaveBeenCalledTimes(1);
    });
  });

  test("is armed anew for what comes before it, and waits on for what comes after it", async () => {
    const { armed } = spied();
    await run(async () => {
      await failAfter(60_000, () => Promise.resolve());
      await moveOnAfter(70_000, () => Promise.resolve());
      expect(armed).toHaveBeenCalledTimes(1);
      const began = now();
      await sleep(2);
      expect(now() - began).toBeGreaterThanOrEqual(2);
    });
  });

  test("rests for the run that is still there, when another one has ended", async () => {
    const { armed, cleared } = spied();
    await run(async () => {
      await failAfter(60_000, () => Promise.resolve());
      await run(() => failAfter(60_000, () => Promise.resolve()), { detached: true });
      expect(cleared).not.toHaveBeenCalled();
      await failAfter(60_000, () => Promise.resolve());
      expect(armed).toHaveBeenCalledTimes(1);
    });
    expect(cleared).toHaveBeenCalledTimes(1);
  });

  test("is that of the test, where one installs timers of its own, and is let go of with them", async () => {
    await run(async () => {
      await failAfter(60_000, () => Promise.resolve());
      vi.useFakeTimers();
      const sleeping = sleep(1e6);
      await vi.advanceTimersByTimeAsync(1e6);
      await sleeping;
      await failAfter(60_000, () => Promise.resolve());
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
      await sleep(2);
    });
  });
});
