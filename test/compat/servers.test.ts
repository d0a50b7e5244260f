import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { isInstalled, pathOf } from "./servers/server-process.js";
import { within } from "./servers/within.js";

const folder = mkdtempSync(join(tmpdir(), "creche-compat-test-"));
const command = "creche-compat-server";
const program = { title: "A server", debian: "a-server", commands: [command] };

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("a server is installed if all of its programs are found on the path", () => {
  expect(isInstalled(program)).toBe(false);
  expect(pathOf(command)).toBe(undefined);
  writeFileSync(join(folder, command), "");
  chmodSync(join(folder, command), 0o755);
  vi.stubEnv("PATH", ["/nowhere", folder].join(delimiter));
  expect(pathOf(command)).toBe(join(folder, command));
  expect(isInstalled(program)).toBe(true);
  expect(isInstalled({ ...program, commands: [command, "creche-compat-other"] })).toBe(false);
});

it("a server that does not answer is named, and who answers in time is not", async () => {
  await expect(within(10, "the answer of a server", new Promise(() => {}))).rejects.toThrow("the answer of a server took more than 10 ms");
  await expect(within(60_000, "the answer of a server", Promise.resolve(1))).resolves.toBe(1);
});
