import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CapacityLimiter, run, type Task } from "creche";
import type { Closing, Job, Line } from "./child.js";
import type { Probe } from "./harness/probe.js";
import type { Finding } from "./harness/run-probe.js";
import type { NodeVersion } from "./nodes.js";
import type { Servers } from "./servers/servers.js";

/** What a probe has shown on one Node. */
export interface Result {
  /** The file of the family and the name of the probe. */
  readonly id: string;
  readonly node: NodeVersion;
  readonly isWrapped: boolean;
  readonly findings: readonly Finding[];
  /** If it is wrapped: what happens without. */
  readonly bare: Finding | undefined;
  /** What is wrong with the process as a whole. */
  readonly complaints: readonly string[];
}

interface Told {
  readonly findings: readonly Finding[];
  readonly closing: Closing | undefined;
  readonly complaints: readonly string[];
}

const CHILD = fileURLToPath(new URL("child.js", import.meta.url));
/** A probe waits much of the time, so that more of them run than there are processors; without its wrapper, nearly all of it. */
const CHILDREN = availableParallelism() + 2;
const BARE_CHILDREN = 2 * CHILDREN;
/** For a child that hangs without a word. */
const CHILD_LIMIT = 600_000;

export interface Order {
  readonly id: string;
  readonly probe: Probe;
  readonly node: NodeVersion;
}

export interface Suite {
  readonly orders: readonly Order[];
  readonly servers: Servers;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly tell: (result: Result) => void;
}

/** Runs each probe in a process of its own, some at once; results in the order of `orders`. */
export async function runAll({ orders, servers, folder, signal, tell }: Suite): Promise<readonly Result[]> {
  const results: Result[] = [];
  const limiters = { wrapped: new CapacityLimiter(CHILDREN), bare: new CapacityLimiter(BARE_CHILDREN) };
  await run(
    (nursery) => {
      orders.forEach((order, i) => {
        const runInTurn = async (task: Task) => {
          const result = await runOne({ ...order, servers, folder: join(folder, `probe-${i}`), limiters, task });
          results[i] = result;
          tell(result);
        };
        nursery.startSoon(runInTurn, { name: order.id });
      });
    },
    { signal },
  );
  return results;
}

interface Turn extends Order {
  readonly servers: Servers;
  readonly folder: string;
  readonly limiters: { readonly wrapped: CapacityLimiter; readonly bare: CapacityLimiter };
  readonly task: Task;
}

async function runOne({ id, probe, node, servers, folder, limiters, task }: Turn): Promise<Result> {
  const start = async (isBare: boolean) => {
    const site = await servers.openSite(probe.needs ?? []);
    mkdirSync(folder, { recursive: true });
    try {
      return await runChild(node.path, { probe: id, isBare, addresses: site.addresses, folder }, site.state, task.signal);
    } finally {
      site.close();
    }
  };
  const told = await limiters.wrapped.run(() => start(false), task);
  const isWrapped = told.closing?.isWrapped === true;
  const without = isWrapped ? (await limiters.bare.run(() => start(true), task)).findings : [];
  const bare = without.find(({ complaints }) => complaints.length > 0) ?? without[0];
  const complaints = told.complaints.filter((complaint) => probe.leaves?.reports.test(complaint) !== true);
  return { id, node, isWrapped, findings: told.findings, bare, complaints };
}

function runChild(node: string, job: Job, state: () => Promise<unknown>, signal: AbortSignal): Promise<Told> {
  return new Promise((resolve, reject) => {
    const findings: Finding[] = [];
    const complaints: string[] = [];
    const stuck: string[] = [];
    let closing: Closing | undefined;
    let stderr = "";
    const child = spawn(node, ["--expose-gc", CHILD, JSON.stringify(job)], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      timeout: CHILD_LIMIT,
      killSignal: "SIGKILL",
      signal,
    });
    let failure: Error | undefined;
    const fail = (error: Error) => {
      failure ??= error;
      child.kill("SIGKILL");
    };
    child.on("message", () => void state().then((now) => child.connected && child.send(now as object, () => {}), fail));
    child.stderr?.on("data", (text) => {
      stderr += text;
    });
    createInterface(child.stdout as NodeJS.ReadableStream).on("line", (text) => {
      const line = lineIn(text);
      if (line === undefined) complaints.push(`it printed: ${text}`);
      else if ("finding" in line) findings.push(line.finding);
      else if ("closing" in line) closing = line.closing;
      else stuck.push(...line.stuck.filter((what) => what !== "PipeWrap"));
    });
    child.once("error", fail);
    child.once("close", (code, killed) => {
      if (failure !== undefined) return reject(failure);
      if (stuck.length > 0) complaints.push(`left: the process stays alive for ${stuck.join(", ")}`);
      if (code !== 0) complaints.push(`its process ended with ${code ?? killed}`);
      complaints.push(...(closing?.noises ?? []));
      if (stderr !== "") complaints.push(`it printed: ${stderr.trim().split("\n").slice(0, 12).join(" | ")}`);
      resolve({ findings, closing, complaints });
    });
  });
}

/** `undefined` for what is none of the harness: a package that prints. */
function lineIn(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
