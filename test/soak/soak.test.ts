import { expect, test } from "vitest";
import { handlers } from "./app/handlers/handlers.js";
import { reportOf } from "./report.js";
import { soak } from "./soak.js";

test("two seconds of the random application: nothing is violated, and everything has been done", async () => {
  const seed = 1;
  // Too short for growth, which is for those that take a minute.
  const result = await soak({ seed, ms: 2_000, round: 150 });
  const { text, isGood } = reportOf(result, seed);
  expect(isGood, text).toBe(true);
  expect(text).toMatch(/good: nothing was violated, and it was too short to tell what grows \(seed 1\)$/);
  const done = new Set([...result.ledger.ends.keys()].map((key) => key.slice(0, key.indexOf(": "))));
  expect([...done].sort()).toEqual(Object.keys(handlers).sort());
  expect(result.samples.listeners.every((count) => count === result.samples.listeners[0])).toBe(true);
});

test("what is planted is counted: one listener for each of 20 requests", async () => {
  const { samples, ledger } = await soak({ seed: 2, ms: 500, round: 100, leak: "listener" });
  expect((samples.listeners.at(-1) as number) - 1).toBe(Math.floor(ledger.accepted / 20));
});
