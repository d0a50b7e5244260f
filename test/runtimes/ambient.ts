import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileOf, type Report } from "./result.js";

// Writes needs-ambient.ts anew: the tests that fail on Node as well where there is no ambient scope.
//
// usage: node test/runtimes/dist/test/runtimes/ambient.js

const TOP = fileURLToPath(new URL("../../../../../", import.meta.url));
/** They are not loaded in a browser, or need no ambient scope. */
const LEFT_OUT = [
  "bench",
  "compat",
  "conformance",
  "docs",
  "examples",
  "node",
  "pack",
  "runtimes",
  "scale",
  "soak",
  "structure",
  "testing",
];
const HEAD = `/** By file, the tests that need an ambient scope: they fail on Node as well without one. An empty list is all of them. Written by ambient.ts. */
export const NEEDS_AMBIENT: Readonly<Record<string, readonly string[]>> = `;

const folder = mkdtempSync(join(tmpdir(), "creche-ambient-"));
try {
  const file = join(folder, "report.json");
  const options = ["run", "--config", "test/runtimes/none.config.ts", "--reporter=json", `--outputFile=${file}`];
  const excluded = LEFT_OUT.flatMap((name) => ["--exclude", `test/${name}/**`]);
  spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", ...options, ...excluded], { cwd: TOP, stdio: "ignore" });
  const found = ambientIn(JSON.parse(readFileSync(file, "utf8")) as Report);
  const target = join(TOP, "test/runtimes/needs-ambient.ts");
  writeFileSync(target, `${HEAD}${JSON.stringify(found, undefined, 1)};\n`);
  spawnSync(process.execPath, ["node_modules/@biomejs/biome/bin/biome", "format", "--write", target], { cwd: TOP, stdio: "inherit" });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** By file: the names of its tests that have failed; an empty list says all. */
function ambientIn(report: Report): Readonly<Record<string, readonly string[]>> {
  const found: [file: string, tests: readonly string[]][] = [];
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
    if (failed.length === 0) continue;
    found.push([fileOf(name), failed.length === assertionResults.length ? [] : failed]);
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}
