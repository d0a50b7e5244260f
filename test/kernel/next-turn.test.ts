import { afterEach, describe, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** What it is like where only these are there. They are captured when the module is loaded. */
async function nextTurnWithout(...missing: string[]): Promise<() => Promise<void>> {
  for (const name of missing) vi.stubGlobal(name, undefined);
  vi.resetModules();
  const { nextTurn } = await import("../../src/kernel/next-turn.js");
  vi.unstubAllGlobals();
  return nextTurn;
}

describe("nextTurn() is a later turn of the event loop, after timers that are due:", () => {
  const platforms: [name: string, missing: string[]][] = [
    ["with setImmediate, as in Node", []],
    ["with MessageChannel, as in browsers", ["setImmediate"]],
    ["with nothing but timers", ["setImmediate", "MessageChannel"]],
  ];
  for (const [name, missing] of platforms) {
    test(name, async () => {
      const nextTurn = await nextTurnWithout(...missing);
      let isDue = false;
      setTimeout(() => {
        isDue = true;
      }, 0);
      const end = performance.now() + 3;
      while (performance.now() < end);
      let turns = 0;
      for (; !isDue && turns < 3; turns++) await nextTurn();
      expect(isDue).toBe(true);
    });

    test(`${name}: microtasks come first`, async () => {
      const nextTurn = await nextTurnWithout(...missing);
      const log: string[] = [];
      const turn = nextTurn().then(() => log.push("turn"));
      for (let i = 0; i < 100; i++) await Promise.resolve();
      log.push("microtasks");
      await turn;
      expect(log).toEqual(["microtasks", "turn"]);
    });
  }

  test("faking the timers later does not hold it up", async () => {
    const nextTurn = await nextTurnWithout();
    vi.useFakeTimers();
    try {
      await nextTurn();
    } finally {
      vi.useRealTimers();
    }
  });
});
