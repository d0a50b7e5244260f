import { expectTypeOf, test } from "vitest";
import { run } from "../../src/index.js";

test("run infers its result from the body", () => {
  expectTypeOf(run(async () => 1)).toEqualTypeOf<Promise<number>>();
});
