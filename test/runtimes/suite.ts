import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judged, notRun, type Report, type Result } from "./result.js";
import type { Runtime } from "./runtimes.js";
import { ALL_SKIPS } from "./skips.js";

const TOP = fileURLToPath(new URL("../../../../../", import.meta.url));
const VITEST = "node_modules/vitest/vitest.mjs";
/** So many characters of what a suite printed are shown when it ended without a report. */
const SHOWN = 3_000;

/** How a suite is run. */
export interface Order {
  readonly runtime: Runtime;
  readonly isBoxed: boolean;
  /** In ms; what has not ended then is killed. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Runs the suite on a runtime, in a process group of its own. */
export async function runSuite({ runtime, isBoxed, limit, signal }: Order): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "creche-runtimes-"));
  const reportFile = join(folder, "report.json");
  const isBrowser = runtime.kind === "browser";
  const config = `test/runtimes/${isBrowser ? "browser" : "suite"}.config.ts`;
  const options = ["run", "--config", config, "--reporter=json", `--outputFile=${reportFile}`];
  const command = isBrowser ? process.execPath : runtime.path;
  const args = [...(isBrowser ? [] : runtime.args), VITEST, ...options];
  const env = { ...process.env, NO_COLOR: "1", SUITE_RUNTIME: runtime.name, SUITE_BOXED: isBoxed ? "1" : "0", SUITE_BROWSER: runtime.path };
  const began = Date.now();
  try {
    const { status, output } = await ended(command, args, env, limit, signal);
    const seconds = (Date.now() - began) / 1000;
    if (status === undefined && isBoxed) return notRun("its time was over before it had ended", seconds);
    const report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, "utf8")) as Report) : undefined;
    return judged({ runtime: runtime.name, status, seconds, output: output.slice(-SHOWN), report, isBoxed }, ALL_SKIPS);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Ended {
  /** Undefined when it was killed. */
  readonly status: number | undefined;
  readonly output: string;
}

function ended(command: string, args: readonly string[], env: NodeJS.ProcessEnv, limit: number, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: TOP, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let wasKilled = false;
    const kill = () => {
      wasKilled = true;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
    };
    const timer = setTimeout(kill, limit);
    signal.addEventListener("abort", kill, { once: true });
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output = (output + text).slice(-10 * SHOWN);
      });
    }
    child.once("error", (error) => {
      over();
      reject(error);
    });
    child.once("close", (code) => {
      over();
      resolve({ status: wasKilled ? undefined : (code ?? 1), output });
    });
  });
}
