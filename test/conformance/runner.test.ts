import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

describe("the runner", () => {
  const runner = fileURLToPath(new URL("../../dist/test/conformance/main.js", import.meta.url));
  const runOn = (lines: readonly string[], ...options: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "conformance-"));
    try {
      writeFileSync(join(folder, "some.jsonl"), lines.join("\n"));
      const { status, stdout } = spawnSync(process.execPath, [runner, join(folder, "some.jsonl"), ...options], { encoding: "utf8" });
      return { status, stdout };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const program = (msg: string, expected: string) =>
    JSON.stringify({
      id: `a-${expected}`,
      program: { body: [{ op: "log", msg }] },
      trace: {
        tasks: {
          main: [
            [0, expected],
            [0, "done"],
            [0, "horizon not reached"],
          ],
        },
        outcome: "ok",
      },
    });

  test("takes any file of the format, and ends with 0 if all cases agree", () => {
    expect(runOn([program("hello", "hello"), ""])).toEqual({ status: 0, stdout: "1 passed, 0 failed\n" });
  });

  test("prints a line for each case that differs, and ends with 1", () => {
    const { status, stdout } = runOn([program("hello", "bye"), program("hello", "hello")], "--strict");
    expect(stdout).toBe('a-bye: task main, event 1: expected "bye" at 0, got "hello" at 0\n1 passed, 1 failed\n');
    expect(status).toBe(1);
  });

  test("reruns each case under as many random schedules as it is told", () => {
    expect(runOn([program("hello", "hello")], "--schedules", "3")).toEqual({
      status: 0,
      stdout: "1 passed, 0 failed, each also under 3 random schedules\n",
    });
  });

  test.each([
    { of: "no file", args: [] },
    { of: "an unknown option", args: ["some.jsonl", "--fast"] },
    { of: "a number of schedules that is none", args: ["some.jsonl", "--schedules", "-1"] },
  ])("says how it is used, and ends with 2, for $of", ({ args }) => {
    const { status, stderr } = spawnSync(process.execPath, [runner, ...args], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("usage: npm run -s conformance -- FILE.jsonl");
  });
});
