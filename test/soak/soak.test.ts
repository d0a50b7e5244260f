import { expect, test } from "vitest";
import { handlers } from "./app/handlers/handlers.js";
import { reportOf } from "./report.js";
import { soak } from "./soak.js";

test("two and a half seconds of the random application: nothing is violated, and everything has been done", async () => {
  const seed = 1;
  // Too short for growth, which is for those that take a minute.
  const result = await soak({ seed, ms: 2_500, round: 150 });
  const { text, isGood } = reportOf(result, seed);
  expect(isGood, text).toBe(true);
  expect(text).toMatch(/good: nothing was violated, and it was too short to tell what grows \(seed 1\)$/);
  const done = new Set([...result.ledger.ends.keys()].map((key) => key.slice(0, key.indexOf(": "))));
  expect([...done].sort()).toEqual(Object.keys(handlers).sort());
  expect(result.samples.listeners.every((count) => count === result.samples.listeners[0])).toBe(true);
});

/** What one planted thing adds to which count. A task that sleeps is two: a scope, and an operation that waits in it. */
const SHOWS = [
  ["listener", "listeners", 1],
  ["timer", "handles", 1],
  ["task", "scopes", 2],
  ["closure", "kept objects", 1],
  ["promise", "kept objects", 1],
] as const;

test.each(SHOWS)("what is planted is counted, once for each of 20 requests: a %s, in the %s", async (leak, series, each) => {
  const { samples, ledger } = await soak({ seed: 2, ms: 500, round: 100, leak });
  const counts = samples[series];
  const grown = (counts.at(-1) as number) / each;
  const planted = Math.floor(ledger.accepted / 20);
  expect(planted).toBeGreaterThan(0);
  // What is there without it, and what a request that is kept keeps besides.
  expect(grown).toBeGreaterThanOrEqual(planted);
  if (series !== "kept objects") expect(grown).toBeLessThan(planted + 15);
});
