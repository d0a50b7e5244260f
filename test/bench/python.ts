import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { JobName } from "./contenders/contender.js";
import type { Result } from "./result.js";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("../../../test/bench/python.py", import.meta.url));
const DEBIAN = "/usr/bin/python3";
export const PYTHON = existsSync(DEBIAN) ? DEBIAN : "python3";
/** ms. */
const MOST = 60_000;

/** What Python there is, for the legend; undefined without one. */
export async function pythonVersion(): Promise<string | undefined> {
  const code =
    "import sys\ntry:\n  import trio\n  t = 'Trio ' + trio.__version__\nexcept ImportError: t = 'no Trio'\nprint('Python ' + sys.version.split()[0] + ', ' + t)";
  return run(PYTHON, ["-c", code]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/** The same job in asyncio and Trio; undefined where neither is. */
export async function pythonCosts(job: JobName, size: number): Promise<Result["python"]> {
  try {
    const { stdout } = await run(PYTHON, [SCRIPT, job, String(size)], { timeout: MOST });
    return JSON.parse(stdout) as NonNullable<Result["python"]>;
  } catch (error) {
    console.error(`Python: ${job} ${size}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
