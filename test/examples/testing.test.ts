import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { ScheduleFailure } from "../../src/testing/index.js";

const top = fileURLToPath(new URL("../..", import.meta.url));
const example = join(top, "examples/testing");

interface Case {
  readonly name: string;
  readonly buggy: unknown;
  readonly fixed: unknown;
}

/** A module of the example. It is loaded by name, so that the compiler does not take it for a part of the tests. */
async function load<M>(name: string): Promise<M> {
  return (await import(`../../examples/testing/${name}.ts`)) as M;
}

const { cases } = await load<{ readonly cases: readonly Case[] }>("cases");
const { find, again } = await load<{
  find(each: Case, program: unknown): Promise<ScheduleFailure | undefined>;
  again(code: string, program: unknown): Promise<unknown>;
}>("find");

beforeAll(() => {
  // Another runtime would install everything anew, under the tests that run beside: `npm run runtimes` has done it.
  if (process.env["SUITE_RUNTIME"] !== undefined) return;
  const { status, stderr } = spawnSync(process.execPath, [".ci/setup.mjs", "examples/testing"], { cwd: top, encoding: "utf8" });
  expect(status, stderr).toBe(0);
}, 300_000);

describe("each planted bug", () => {
  const kinds: Readonly<Record<string, string>> = {
    "connection pool": "deadlock",
    "read-through cache": "nonlinearizable",
    transfers: "deadlock",
    "persistent fetch": "swallowed",
    gate: "deadlock",
  };

  test("has its case", () => {
    expect(cases.map(({ name }) => name)).toEqual(Object.keys(kinds));
  });

  test.each(cases)("is found, with at most two departures, and replayed: $name", async (each) => {
    const failure = await find(each, each.buggy);
    expect(failure?.kind).toBe(kinds[each.name]);
    const code = failure?.replay ?? "";
    const [, departures = ""] = /^\w:([^#]*)#/.exec(code) ?? [];
    expect(departures.split(".").filter((part) => part !== "").length).toBeLessThanOrEqual(2);
    expect(await again(code, each.buggy)).toMatchObject({ name: "ScheduleFailure", kind: failure?.kind });
  });

  test.each(cases)("is gone from the fixed version: $name", async (each) => {
    expect(await find(each, each.fixed)).toBe(undefined);
  });
});

test("the README shows what is printed", () => {
  const { status, stdout } = spawnSync(process.execPath, ["dist/main.js"], { cwd: example, encoding: "utf8" });
  expect(status).toBe(0);
  const [, shown] = /```\n(== [\s\S]*?)```/.exec(readFileSync(join(example, "README.md"), "utf8")) ?? [];
  expect(stdout.trim()).toBe(shown?.trim());
});

test("its own tests pass under node --test", () => {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { status, stdout } = spawnSync(process.execPath, ["--test", "dist/cases.test.js"], { cwd: example, encoding: "utf8", env });
  expect(status, stdout).toBe(0);
  expect(stdout).toContain("gate, in any order");
});
