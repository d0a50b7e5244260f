import { expect, test } from "vitest";
import { isRight } from "./is-right.js";

test("who counts must have counted as many as there are", () => {
  expect(isRight("spawn", 3, undefined, 3, 0)).toBe(true);
  expect(isRight("spawn", 3, undefined, 2, 0)).toBe(false);
});

test("no timer may be left of those who were cancelled", () => {
  expect(isRight("cancel", 3, undefined, 3, 1)).toBe(false);
});

test("mapped items are all there, in order", () => {
  expect(isRight("map", 3, [0, 1, 2], 0, 0)).toBe(true);
  expect(isRight("map", 3, [0, 2, 1], 0, 0)).toBe(false);
  expect(isRight("map", 3, [0, 1], 0, 0)).toBe(false);
});

test("all items have come through a channel", () => {
  expect(isRight("channel16", 4, 6, 0, 0)).toBe(true);
  expect(isRight("channel0", 4, 5, 0, 0)).toBe(false);
});
