import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { checkpoint, sleep, UsageError } from "../../src/index.js";
import { ScheduleFailure, simTest, simTestFor } from "../../src/testing/index.js";
import { rejectionOf } from "../kernel/support.js";
import { lostUpdate } from "./planted.js";

const define = simTestFor(test);
let runs = 0;
define("in vitest, for real: a body runs under many schedules", async (sim) => {
  runs++;
  sim.root.startSoon(() => checkpoint());
  await sleep(1000);
});
test("which it did", () => expect(runs).toBeGreaterThan(100));
simTestFor(test.skip)("also one that is skipped", () => expect.fail());
define.cancellation("in vitest, for real: a body is cancelled everywhere", () => sleep(1000), { seeds: 1 });

interface Defined {
  readonly name: string;
  readonly body: () => Promise<void>;
  readonly rest: readonly unknown[];
}

/** A runner that only notes what is defined. */
function fakeRunner() {
  const defined: Defined[] = [];
  const fake = simTestFor((name: string, body: () => Promise<void>, ...rest: unknown[]) => {
    defined.push({ name, body, rest });
    return defined.length;
  });
  return { defined, fake, run: (index = 0) => (defined[index] as Defined).body() };
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe("simTestFor()", () => {
  test("gives the runner a name, and a body without parameters; returns what that returns", () => {
    const { defined, fake } = fakeRunner();
    expect(fake("one", () => {})).toBe(1);
    expect(fake.cancellation("two", () => {})).toBe(2);
    expect(defined.map(({ name, body, rest }) => [name, body.length, rest])).toEqual([
      ["one", 0, []],
      ["two", 0, []],
    ]);
  });

  test("a timeout goes to the runner; a longer search has a longer one", () => {
    const { defined, fake } = fakeRunner();
    fake("", () => {}, { timeout: 77 });
    fake("", () => {}, { timeMs: 1000 });
    fake("", () => {}, { timeMs: 60_000 });
    fake("", () => {}, { timeMs: Number.POSITIVE_INFINITY });
    fake.cancellation("", () => {}, { timeout: 99 });
    expect(defined.map(({ rest }) => rest)).toEqual([[77], [], [70_000], [2 ** 31 - 1], [99]]);
  });

  test("a failure is a report, with the line that replays it", async () => {
    const { fake, run } = fakeRunner();
    fake("", lostUpdate);
    const failure = (await rejectionOf(run())) as ScheduleFailure;
    expect(failure).toBeInstanceOf(ScheduleFailure);
    expect(failure.message).toContain(`SIM_REPLAY=${failure.replay}`);
    vi.stubEnv("SIM_REPLAY", failure.replay);
    const again = (await rejectionOf(run())) as ScheduleFailure;
    expect([again.kind, again.replay]).toEqual([failure.kind, failure.replay]);
  });

  test("SIM_REPLAY runs one schedule alone, whatever the options say of chance", async () => {
    const { fake, run } = fakeRunner();
    let count = 0;
    const body = async () => {
      count++;
      await checkpoint();
    };
    fake("", body, { strategy: { kind: "random" }, seed: 4, timeRaces: false });
    fake.cancellation("", body);
    vi.stubEnv("SIM_REPLAY", "f:");
    await run(0);
    expect(count).toBe(1);
    vi.stubEnv("SIM_REPLAY", "f:@1e.task");
    await run(1);
    // Once without the injection, which tells where it goes.
    expect(count).toBe(3);
  });

  test("SIM_SCHEDULES says how many, and SIM_SEED which ones", async () => {
    const { fake, run } = fakeRunner();
    const orders: string[] = [];
    let count = 0;
    const body = async () => {
      count++;
      let order = "";
      await Promise.resolve();
      const { openNursery } = await import("../../src/index.js");
      await openNursery((nursery) => {
        for (const name of "abcd") {
          nursery.startSoon(async () => {
            await checkpoint();
            order += name;
          });
        }
      });
      orders.push(order);
    };
    fake("", body, { strategy: { kind: "random" }, checkDeterminism: false });
    vi.stubEnv("SIM_SCHEDULES", "30");
    await run();
    expect(count).toBe(30);
    const first = orders.splice(0);
    await run();
    expect(orders.splice(0)).toEqual(first);
    vi.stubEnv("SIM_SEED", "9");
    await run();
    expect(orders).not.toEqual(first);

    count = 0;
    vi.stubEnv("SIM_SCHEDULES", "2");
    fake.cancellation("", body);
    await run(1);
    const few = count;
    count = 0;
    vi.stubEnv("SIM_SCHEDULES", "6");
    await run(1);
    expect(count).toBeGreaterThan(2 * few);
  });

  test("says what is wrong in the environment, and in a call", async () => {
    const { fake, run } = fakeRunner();
    fake("", () => {});
    vi.stubEnv("SIM_SCHEDULES", "many");
    expect(await rejectionOf(run())).toEqual(new UsageError('the environment variable SIM_SCHEDULES is an integer from 1, not "many"'));
    vi.stubEnv("SIM_SCHEDULES", "");
    vi.stubEnv("SIM_SEED", "1.5");
    expect(await rejectionOf(run())).toEqual(new UsageError('the environment variable SIM_SEED is an integer, not "1.5"'));
    expect(() => fake("", undefined as never)).toThrow(UsageError);
    expect(() => fake.cancellation("", undefined as never)).toThrow(UsageError);
    expect(() => simTestFor(undefined as never)).toThrow(UsageError);
  });
});

describe("simTest()", () => {
  test("takes the global test() of the runner", () => {
    const global = vi.fn(() => "defined");
    vi.stubGlobal("test", global);
    expect(simTest("name", () => {})).toBe("defined");
    expect(simTest.cancellation("other", () => {}, { timeout: 5 })).toBe("defined");
    expect(global.mock.calls).toEqual([
      ["name", expect.any(Function)],
      ["other", expect.any(Function), 5],
    ]);
  });

  test("takes that of bun:test, which is in no global object", () => {
    const define = vi.fn(() => "defined");
    const builtin = (name: string) => (name === "bun:test" ? { test: define } : undefined);
    vi.stubGlobal("Bun", {});
    vi.stubGlobal("process", { env: {}, getBuiltinModule: builtin });
    expect(simTest("name", () => {})).toBe("defined");
    expect(define.mock.calls).toEqual([["name", expect.any(Function)]]);
  });

  test("says what to do where there is none", () => {
    vi.stubGlobal("Bun", undefined);
    expect(() => simTest("name", () => {})).toThrow(
      new UsageError(
        "simTest() finds no global test() here. Import the `test` of your runner, and adapt that: const simTest = simTestFor(test)",
      ),
    );
  });
});

describe("node:test, for real", () => {
  const sample = fileURLToPath(new URL("runners/node-sample.mjs", import.meta.url));
  const nodeTest = (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const { NODE_OPTIONS: _, ...rest } = process.env;
    const { stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", ...args, sample], {
      env: { ...rest, ...env },
      encoding: "utf8",
      timeout: 60_000,
    });
    return stdout;
  };

  test("what passes passes, what fails is reported, and replayed", () => {
    const output = nodeTest({});
    expect(output).toMatch(/^ok \d+ - an hour passes/m);
    expect(output).toMatch(/^not ok \d+ - an update is lost/m);
    expect(output).toMatch(/^ok \d+ - nothing is lost/m);
    expect(output).toMatch(/^not ok \d+ - groups/m);
    expect(output).toContain("the group has 2 errors, not exactly the 1 expected:");
    expect(output).toContain("unexpected: RangeError: two");
    const code = /SIM_REPLAY=(\S+),/.exec(output)?.[1] as string;
    expect(code).toMatch(/^r:/);
    const again = nodeTest({ SIM_REPLAY: code }, "--test-name-pattern", "an update is lost");
    expect(again).toContain(`SIM_REPLAY=${code},`);
    expect(again).toMatch(/^not ok \d+ - an update is lost/m);
  });
});
