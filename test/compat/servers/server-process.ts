import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { HOST } from "./site.js";

/** A server that is a program of its own, in a folder of its own. */
export interface ServerProcess {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Program {
  /** Called by messages. */
  readonly title: string;
  /** The Debian package that brings it. */
  readonly debian: string;
  /** The programs that have to be there. */
  readonly commands: readonly string[];
}

const FOLDERS = ["/usr/sbin", "/usr/lib/postgresql/*/bin"];
const START_WITHIN = 60_000;

/** Where a command is: on the path, or where Debian hides it. */
export function pathOf(command: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...FOLDERS.flatMap(expand)];
  return folders.map((folder) => join(folder, command)).find(existsSync);
}

function expand(folder: string): readonly string[] {
  const [before, after] = folder.split("*");
  if (before === undefined || after === undefined) return [folder];
  return existsSync(before) ? readdirSync(before).map((name) => `${before}${name}${after}`) : [];
}

export function isInstalled({ commands }: Program): boolean {
  return commands.every((command) => pathOf(command) !== undefined);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => server.listen(0, HOST, () => resolve((server.address() as { port: number }).port)));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** PostgreSQL refuses to run as root, and no server needs to: as root, they run as `nobody`. */
function user(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** A folder that belongs to who runs the servers. */
export function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid, gid } = user();
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  return path;
}

/** Runs a command to its end, for example one that makes a database. */
export function prepare(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(pathOf(command) as string, args, { cwd, timeout: START_WITHIN, ...user() }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${command} failed: ${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** Starts a server, and waits until it says `ready`. */
export async function startServer(
  command: string,
  args: readonly string[],
  cwd: string,
  port: number,
  ready: RegExp,
): Promise<ServerProcess> {
  // A process group of its own: Ctrl-C is for the suite, which stops its servers.
  const child = spawn(pathOf(command) as string, args, { cwd, stdio: ["ignore", "pipe", "pipe"], detached: true, ...user() });
  await isReady(child, command, ready);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    port,
    stop: () => {
      child.kill("SIGTERM");
      // A server that waits for its clients is not waited for.
      const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
      return ended.finally(() => clearTimeout(timer));
    },
  };
}

function isReady(child: ChildProcess, command: string, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string) => reject(new Error(`${command} ${why}; it said:\n${said}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`was not ready within ${START_WITHIN} ms`);
    }, START_WITHIN);
    const hear = (text: Buffer) => {
      said = `${said}${text.toString()}`.slice(-4_000);
      if (!ready.test(said)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => fail(`could not be started (${error.message})`));
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${code ?? signal}`);
    });
  });
}
