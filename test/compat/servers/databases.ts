import { rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { Pool } from "pg";
import type { Tap } from "./http-server.js";
import { freePort, makeFolder, type Program, prepare, type ServerProcess, startServer } from "./server-process.js";
import { HOST } from "./site.js";
import { within } from "./within.js";

/** A database under test. */
export interface Database {
  readonly port: number;
  /** How many operations are under way on connections through this tap. */
  waiting(tap: Tap): Promise<number>;
  stop(): Promise<void>;
}

export const postgresql: Program = { title: "PostgreSQL", debian: "postgresql", commands: ["initdb", "postgres"] };
export const mariadb: Program = { title: "MariaDB", debian: "mariadb-server-core", commands: ["mariadbd"] };
export const redis: Program = { title: "Redis", debian: "redis-server", commands: ["redis-server"] };

const LEAVE_WITHIN = 2_000;

export const POSTGRES_USER = "compat";

export async function startPostgres(top: string): Promise<Database> {
  const folder = makeFolder(join(top, "postgres"));
  const data = join(folder, "data");
  await prepare("initdb", ["-D", data, "-U", POSTGRES_USER, "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"], folder);
  const port = await freePort();
  const options = ["-c", `listen_addresses=${HOST}`, "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=40"];
  const server = await startServer("postgres", ["-D", data, "-p", String(port), "-k", folder, ...options], folder, port, /ready to accept/);
  const admin = new Pool({ host: HOST, port, user: POSTGRES_USER, database: "postgres", max: 1 });
  return {
    port,
    waiting: async ({ ports }) => {
      const text = "select count(*)::int as n from pg_stat_activity where state = 'active' and client_port = any($1)";
      const { rows } = await admin.query<{ n: number }>(text, [[...ports]]);
      return rows[0]?.n ?? 0;
    },
    stop: () => stopped(server, folder, () => admin.end()),
  };
}

/** Without the tables of users and rights: `--skip-grant-tables` has no need of them, and so neither of the package that would make them. */
export async function startMariadb(top: string): Promise<Database> {
  const folder = makeFolder(join(top, "mariadb"));
  const data = makeFolder(join(folder, "data"));
  const port = await freePort();
  const options = [
    "--no-defaults",
    `--datadir=${data}`,
    "--skip-grant-tables",
    "--innodb-flush-method=nosync",
    "--innodb-log-file-size=4M",
  ];
  const network = [`--bind-address=${HOST}`, `--port=${port}`, `--socket=${join(folder, "socket")}`, `--pid-file=${join(folder, "pid")}`];
  const server = await startServer("mariadbd", [...options, ...network], folder, port, /ready for connections/);
  const admin = await createConnection({ host: HOST, port, user: "root" });
  return {
    port,
    waiting: async (tap) => {
      const text =
        "select count(*) as n from information_schema.processlist where command = 'Query' and info like ? and id <> connection_id()";
      const [rows] = await admin.query<RowDataPacket[]>(text, [`%${through(tap.port)}%`]);
      return Number(rows[0]?.["n"]);
    },
    stop: () => stopped(server, folder, () => admin.end()),
  };
}

/** A comment in a query for MariaDB, which does not tell where a connection comes from if it has no table of users. */
export function through(port: number): string {
  return `/* through port ${port} */`;
}

export async function startRedis(top: string): Promise<Database> {
  const folder = makeFolder(join(top, "redis"));
  const port = await freePort();
  const options = ["--port", String(port), "--bind", HOST, "--save", "", "--appendonly", "no", "--dir", folder];
  const server = await startServer("redis-server", options, folder, port, /Ready to accept/);
  const admin = new Redis(port, HOST);
  return {
    port,
    waiting: async ({ ports }) => {
      const clients = String(await admin.client("LIST"))
        .trim()
        .split("\n");
      return clients.filter((line) => /\bflags=\w*b/.test(line) && ports.has(Number(/\baddr=\S+:(\d+)/.exec(line)?.[1]))).length;
    },
    stop: () => stopped(server, folder, () => admin.quit()),
  };
}

async function stopped(server: ServerProcess, folder: string, leave: () => Promise<unknown>): Promise<void> {
  // Who does not answer any more is not asked to.
  await within(LEAVE_WITHIN, "leaving", leave()).catch(() => {});
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
