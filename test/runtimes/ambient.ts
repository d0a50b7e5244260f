import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileOf, type Report } from "./result.js";
import { SKIPS, skipOf } from "./skips.js";

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

/** What a busy machine lets fail once, for its time alone, it does not let fail each time. */
const TIMES = 3;

const runs = Array.from({ length: TIMES }, failures);
const always = runs[0]?.filter((each) => runs.every((run) => run.some(({ file, name }) => file === each.file && name === each.name))) ?? [];
const target = join(TOP, "test/runtimes/needs-ambient.ts");
writeFileSync(target, `${HEAD}${JSON.stringify(byFile(always), undefined, 1)};\n`);
spawnSync(process.execPath, ["node_modules/@biomejs/biome/bin/biome", "format", "--write", target], { cwd: TOP, stdio: "inherit" });

interface Failure {
  readonly file: string;
  readonly name: string;
  /** How many tests the file has. */
  readonly of: number;
}

/** What fails in one run of the suite without an ambient scope. */
function failures(): readonly Failure[] {
  const folder = mkdtempSync(join(tmpdir(), "creche-ambient-"));
  try {
    const report = join(folder, "report.json");
    const options = ["run", "--config", "test/runtimes/none.config.ts", "--reporter=json", `--outputFile=${report}`];
    const excluded = LEFT_OUT.flatMap((name) => ["--exclude", `test/${name}/**`]);
    spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", ...options, ...excluded], { cwd: TOP, stdio: "ignore" });
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
    return testResults.flatMap(({ name, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === "failed");
      return failed.map(({ fullName }) => ({ file: fileOf(name), name: fullName, of: assertionResults.length }));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** By file: the names of its tests that have failed; an empty list says all. Not of files that no browser loads. */
function byFile(failed: readonly Failure[]): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, Failure[]>();
  for (const failure of failed.filter(({ file }) => skipOf("chromium", file, undefined, SKIPS) === undefined))
    found.set(failure.file, [...(found.get(failure.file) ?? []), failure]);
  const named = [...found].map(([file, all]) => [file, all.length === all[0]?.of ? [] : all.map(({ name }) => name)] as const);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}
