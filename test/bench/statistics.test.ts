import { expect, test } from "vitest";
import { median, medianRatio, roundsFor, timesFor } from "./statistics.js";

test("the median of an odd number is the one in the middle, of an even number between the two", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 10, 2])).toBe(3);
  expect(() => median([])).toThrow("there is no median of nothing");
});

test("the ratio is the median of the pairs' ratios, not the ratio of the medians", () => {
  // The machine was ten times slower in the second pair, for both.
  expect(medianRatio([2, 20, 2], [1, 10, 1])).toBe(2);
  expect(medianRatio([3, 10, 90], [1, 10, 10])).toBe(3);
  expect(() => medianRatio([1], [])).toThrow("1 and 0 are no pairs");
});

test("a short job is done often enough for a sample, a long one as often as it has to be", () => {
  expect(timesFor(100, 20_000, 3)).toBe(200);
  expect(timesFor(1e6, 20_000, 3)).toBe(3);
  expect(timesFor(0, 20_000, 1)).toBe(20_000);
});

test("there are as many rounds as wanted while there is time, and one at least", () => {
  expect([1, 2, 100].map((cost) => roundsFor(cost, 10, 9))).toEqual([9, 5, 1]);
});
