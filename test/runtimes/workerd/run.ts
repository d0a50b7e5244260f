import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { rolldown } from "rolldown";
import { notRun, type Result } from "../result.js";
import type { Runtime } from "../runtimes.js";

const WORKER = fileURLToPath(new URL("../../../../workerd/worker.ts", import.meta.url));
const DATE = "2026-01-01";

/** What the worker has to answer. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  nursery: ["b", "a"],
  failure: ["cancelled", "caught Error: boom"],
  cancel: false,
  timeout: [true, true],
  channel: [0, 1, 2, 3],
  map: [30, 10, 20],
  foreign: "AbortError by Error: the client left",
  ambient: true,
};

interface Variant {
  readonly name: string;
  /** How a bundler for workers resolves the package: by these conditions. */
  readonly conditions: readonly string[];
  readonly flags: readonly string[];
  readonly expected: Readonly<Record<string, unknown>>;
}

const VARIANTS: readonly Variant[] = [
  { name: "nodejs_compat", conditions: ["workerd", "worker", "import"], flags: ["nodejs_compat"], expected: EXPECTED },
  {
    name: "without it",
    conditions: ["worker", "browser", "import"],
    flags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
    expected: { ...EXPECTED, ambient: "MissingScopeError" },
  },
];

/** A smoke test: one worker made of the package as it is built, with Node's AsyncLocalStorage and without, asked over loopback. */
export async function runWorkerd(runtime: Runtime, limit: number): Promise<Result> {
  const began = Date.now();
  const complaints: string[] = [];
  let passed = 0;
  for (const variant of VARIANTS) {
    const answers = await answersOf(runtime, variant, Math.min(limit, 60_000)).catch((error: unknown) => String(error));
    if (typeof answers === "string") {
      complaints.push(`${variant.name}: ${answers}`);
      continue;
    }
    for (const [name, expected] of Object.entries(variant.expected)) {
      if (isDeepStrictEqual(answers[name], expected)) passed++;
      else complaints.push(`${variant.name}: ${name} answered ${JSON.stringify(answers[name])}, not ${JSON.stringify(expected)}`);
    }
  }
  const seconds = (Date.now() - began) / 1000;
  return {
    ...notRun("", seconds),
    state: complaints.length === 0 ? "passed" : "failed",
    files: 1,
    passed,
    failed: complaints.length,
    complaints,
  };
}

async function answersOf(runtime: Runtime, variant: Variant, limit: number): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "creche-workerd-"));
  let server: ChildProcess | undefined;
  let output = "";
  try {
    const bundle = await rolldown({ input: WORKER, external: /^node:/, resolve: { conditionNames: [...variant.conditions] } });
    await bundle.write({ file: join(folder, "worker.js"), format: "esm" });
    await bundle.close();
    const port = await freePort();
    writeFileSync(join(folder, "config.capnp"), configOf(variant, port));
    server = spawn(runtime.path, ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [server.stdout, server.stderr]) stream?.on("data", (text) => (output += text));
    return await asked(`http://127.0.0.1:${port}/`, server, Date.now() + limit);
  } catch (error) {
    throw new Error(`${error}${output === "" ? "" : `\n${output.slice(-2_000)}`}`);
  } finally {
    server?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** It takes a moment until it listens. */
async function asked(url: string, server: ChildProcess, end: number): Promise<Record<string, unknown>> {
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(Math.max(1, end - Date.now())) });
      if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
      return (await response.json()) as Record<string, unknown>;
    } catch (error) {
      const isRefused = error instanceof TypeError && error.message === "fetch failed";
      if (!isRefused || server.exitCode !== null || Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function configOf({ flags }: Variant, port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${DATE}",
  compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(", ")}],
);
`;
}

/** One that nobody listens on at the moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
