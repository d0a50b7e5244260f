import { expect, test } from "vitest";
import { now, sleep } from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";

test("runs", async () => {
  expect(
    await simulate(async () => {
      await sleep(1e12);
      return now();
    }),
  ).toBe(1e12);
});
