import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";

/** Runs one of the programs where the package is installed, and says what it exports under `name`. */
export async function resultOf(folder: string, program: string, name: string): Promise<unknown> {
  const { code } = await transform(readFileSync(join(folder, `${program}.ts`), "utf8"), { loader: "ts", target: "node20", format: "esm" });
  writeFileSync(join(folder, `${program}.mjs`), code);
  return evaluated(folder, `const { ${name}: value } = await import("./${program}.mjs"); console.log(JSON.stringify(value));`, "module");
}

/** What `require` gets of an entry. */
export function requiredNames(folder: string, entry: string): unknown {
  return evaluated(folder, `console.log(JSON.stringify(Object.keys(require(${JSON.stringify(entry)}))))`, "commonjs");
}

function evaluated(folder: string, code: string, type: "module" | "commonjs"): unknown {
  const args = ["--no-warnings", `--input-type=${type}`, "-e", code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
