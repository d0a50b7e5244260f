import { expect, test } from "vitest";
import * as flags from "../../src/kernel/flags.js";

test("no two flags of a scope share a bit", () => {
  const { INHERITED, ...single } = flags;
  const bits = Object.values(single);
  expect(new Set(bits).size).toBe(bits.length);
  expect(bits.every((bit) => bit > 0 && (bit & (bit - 1)) === 0)).toBe(true);
});
