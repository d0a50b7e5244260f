import { UsageError } from "../../index.js";
import { type SimTest, simTestFor, type TestFunction } from "./sim-test-for.js";

/**
 * As `simTestFor(test)`, with the `test` of the runner in which it is called: that of jest, bun:test, vitest with `globals: true`, `node --test`, and whatever
 * else has a global `test`.
 *
 * @throws UsageError if there is none; vitest has none by itself: `const simTest = simTestFor(test)` there
 * @example
 * import { simTest } from "creche/testing";
 *
 * simTest("readers do not starve writers", async (sim) => { ... });
 */
export const simTest: SimTest<unknown> = Object.assign(
  ((name, body, options) => simTestFor(testHere())(name, body, options)) as SimTest<unknown>,
  {
    cancellation: ((name, body, options) => simTestFor(testHere()).cancellation(name, body, options)) as SimTest<unknown>["cancellation"],
  },
);

interface Platform {
  readonly test?: unknown;
  readonly Bun?: unknown;
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: (name: string) => { readonly test: unknown } | undefined;
  };
}

/** The one of the runner that has loaded the file. */
function testHere(): TestFunction<unknown> {
  const { test, process, Bun } = globalThis as Platform;
  if (typeof test === "function") return test as TestFunction<unknown>;
  // What looks global in a file of bun:test is so in that file alone.
  const ofBun = Bun === undefined ? undefined : process?.getBuiltinModule?.("bun:test")?.test;
  if (typeof ofBun === "function") return ofBun as TestFunction<unknown>;
  // `node --test` says in the environment that it is the one.
  const isNode = process?.env?.["NODE_TEST_CONTEXT"] !== undefined;
  const ofNode = isNode ? process?.getBuiltinModule?.("node:test")?.test : undefined;
  if (typeof ofNode === "function") {
    const define = ofNode as (name: string, options: { readonly timeout?: number }, body: () => Promise<void>) => unknown;
    return (name, body, timeout) => define(name, timeout === undefined ? {} : { timeout }, body);
  }
  throw new UsageError(
    "simTest() finds no global test() here. Import the `test` of your runner, and adapt that: const simTest = simTestFor(test)",
  );
}
