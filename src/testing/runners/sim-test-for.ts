import { UsageError } from "../../index.js";
import { requireFunction } from "../../kernel/validate.js";
import { type ExploreOptions, explore } from "../explore.js";
import { injectCancellation } from "../inject-cancellation.js";
import type { InjectOptions } from "../injection/injection-options.js";
import { replay } from "../replay.js";
import type { Strategy } from "../search/strategy.js";
import type { SimBody } from "../sim.js";

/** `test` of a runner: vitest, jest, bun:test and others alike. */
export type TestFunction<R> = (name: string, body: () => Promise<void>, timeout?: number) => R;

export interface TestTimeout {
  /** Real milliseconds after which the runner gives the test up: what it takes as its third argument. Default: that of the runner, or more if `timeMs` is. */
  readonly timeout?: number | undefined;
}

/** Defines tests. */
export interface SimTest<R> {
  /** A test that runs its body under many schedules: `explore`. */
  (name: string, body: SimBody, options?: ExploreOptions & TestTimeout): R;
  /** A test that cancels its body at every checkpoint: `injectCancellation`. */
  cancellation(name: string, body: SimBody, options?: InjectOptions & TestTimeout): R;
}

/** What a search may take without a longer timeout: runners give 5 s. */
const USUAL_MS = 2000;
/** For the last run, the reduction and the report. */
const MARGIN_MS = 10_000;
/** A timer of more would be one of none. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Tests of a runner whose bodies run in virtual time, under many schedules. It takes the runner's `test`, or one like it: `test.skip`, `test.concurrent`.
 *
 * Environment: `SIM_REPLAY=r:1#c6k` runs that schedule alone (choose the test by the runner's filter); `SIM_SCHEDULES=5000` tries so many schedules, whatever
 * the time, or so many random ones at each injection; `SIM_SEED=7` takes other random ones.
 *
 * Pitfall: the `test` of node:test takes its timeout in another way: `simTestFor((name, body, timeout) => test(name, { timeout }, body))`. Without one,
 * `simTestFor(test)` is enough.
 *
 * @throws UsageError if `test` is no function
 * @example
 * import { test } from "vitest";
 * const simTest = simTestFor(test);
 *
 * simTest("the cache loads a key once", async (sim) => {
 *   const cache = new Cache();
 *   sim.root.startSoon(() => cache.read("a"));
 *   sim.root.startSoon(() => cache.read("a"));
 *   sim.eventually("one load", () => cache.loads === 1);
 * });
 * simTest.cancellation("the pool loses no connection", async (sim) => { ... }, { check: () => expect(pool.free).toBe(2) });
 */
export function simTestFor<R>(test: TestFunction<R>): SimTest<R> {
  requireFunction(test, "simTestFor()");
  const define = (name: string, run: () => Promise<void>, timeout: number | undefined): R =>
    timeout === undefined ? test(name, run) : test(name, run, Math.min(timeout, LONGEST_MS));

  const simTest = (name: string, body: SimBody, { timeout, ...options }: ExploreOptions & TestTimeout = {}): R => {
    requireFunction(body, "simTest()");
    const run = async () => {
      const { code, schedules, seed } = readEnvironment();
      if (code !== undefined) return replayed(code, body, options);
      const strategy = seed === undefined ? options.strategy : seeded(options.strategy, seed);
      const budget = schedules === undefined ? {} : { schedules, timeMs: Number.POSITIVE_INFINITY };
      await explore(body, { ...options, strategy, ...budget });
    };
    const { timeMs = USUAL_MS } = options;
    return define(name, run, timeout ?? (timeMs > USUAL_MS ? timeMs + MARGIN_MS : undefined));
  };

  const cancellation = (name: string, body: SimBody, { timeout, ...options }: InjectOptions & TestTimeout = {}): R => {
    requireFunction(body, "simTest.cancellation()");
    const run = async () => {
      const { code, schedules, seed } = readEnvironment();
      if (code !== undefined) return replayed(code, body, options);
      const seeds = schedules ?? options.seeds;
      await injectCancellation(body, { ...options, seeds, seed: seed ?? options.seed });
    };
    return define(name, run, timeout);
  };
  return Object.assign(simTest, { cancellation });
}

interface Overrides {
  /** A schedule, or one with an injection. */
  readonly code: string | undefined;
  readonly schedules: number | undefined;
  readonly seed: number | undefined;
}

/** When a test runs, not when it is defined. */
function readEnvironment(): Overrides {
  const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } };
  const { SIM_REPLAY: code, SIM_SCHEDULES: schedules, SIM_SEED: seed } = process?.env ?? {};
  return {
    code: code === "" ? undefined : code,
    schedules: numberFrom("SIM_SCHEDULES", schedules, 1),
    seed: numberFrom("SIM_SEED", seed, Number.NEGATIVE_INFINITY),
  };
}

function numberFrom(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  throw new UsageError(`the environment variable ${name} is an integer${least === 1 ? " from 1" : ""}, not "${text}"`);
}

function seeded(strategy: Strategy = { kind: "portfolio" }, seed: number): Strategy {
  const { kind } = strategy;
  return kind === "fifo" || kind === "run" || kind === "bounded" || kind === "exhaustive" ? strategy : { ...strategy, seed };
}

/** What a schedule says itself does not come from the options of the test. */
function replayed(code: string, body: SimBody, options: ExploreOptions | InjectOptions): Promise<void> {
  const { seed: _, timeRaces: __, ...rest } = options;
  return replay(code, body, rest);
}
