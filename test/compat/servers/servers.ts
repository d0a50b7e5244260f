import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Database, mariadb, postgresql, redis, startMariadb, startPostgres, startRedis } from "./databases.js";
import { type GrpcServer, startGrpc } from "./grpc-server.js";
import { openHttp, openHttp2, openTap, type Tap, type Watched } from "./http-server.js";
import { isInstalled, type Program, pathOf } from "./server-process.js";
import { type Addresses, HOST, type Need, type ServerState } from "./site.js";
import { within } from "./within.js";

const chromium: Program = { title: "Chromium", debian: "chromium", commands: ["chromium"] };
const openssl: Program = { title: "OpenSSL, for the certificate of an HTTPS server", debian: "openssl", commands: ["openssl"] };

const PROGRAMS: Partial<Record<Need, Program>> = { https: openssl, postgres: postgresql, mysql: mariadb, redis, chromium };

/** What of the needs is not installed. */
export function missing(needs: ReadonlySet<Need>): readonly Program[] {
  return [...needs].flatMap((need) => PROGRAMS[need] ?? []).filter((program) => !isInstalled(program));
}

const ANSWER_WITHIN = 60_000;

/** The servers that one probe sees, until it is closed. */
export interface OpenSite {
  readonly addresses: Addresses;
  state(): Promise<ServerState>;
  close(): void;
}

/** All that is started once for all probes: the databases, and the gRPC server. The rest is opened for each of them. */
export class Servers {
  readonly #folder: string;
  readonly #databases = new Map<Need, Database>();
  #grpc: GrpcServer | undefined = undefined;
  #tls: { readonly key: string; readonly cert: string } | undefined = undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(folder: string, needs: ReadonlySet<Need>): Promise<Servers> {
    const servers = new Servers(folder);
    const starting = Object.entries({ postgres: startPostgres, mysql: startMariadb, redis: startRedis })
      .filter(([need]) => needs.has(need as Need))
      .map(async ([need, start]) => void servers.#databases.set(need as Need, await start(folder)));
    const started = await Promise.allSettled(starting);
    const failed = started.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await servers.stop();
      throw failed.reason;
    }
    if (needs.has("grpc")) servers.#grpc = await startGrpc();
    if (needs.has("https")) servers.#tls = makeCertificate(folder);
    return servers;
  }

  async openSite(needs: readonly Need[]): Promise<OpenSite> {
    const opened = new Map<Need, Watched>();
    const asks: (() => number | Promise<number>)[] = [];
    const open = async (need: Need, opening: () => Promise<Watched>) => {
      if (!needs.includes(need)) return;
      const watched = await opening();
      opened.set(need, watched);
      asks.push(watched.waiting);
    };
    const tap = async (need: Need, port: number | undefined, waiting: (tap: Tap) => number | Promise<number>) => {
      if (!needs.includes(need) || port === undefined) return;
      const watched = await openTap(port);
      opened.set(need, watched);
      asks.push(() => waiting(watched));
    };
    await open("http", openHttp);
    await open("https", () => openHttp(this.#tls));
    await open("http2", openHttp2);
    await tap("grpc", this.#grpc?.port, ({ ports }) => this.#grpc?.waiting(ports) ?? 0);
    for (const [need, database] of this.#databases) await tap(need, database.port, (watched) => database.waiting(watched));
    const port = (need: Need) => opened.get(need)?.port ?? 0;
    const url = (scheme: string, need: Need) => (opened.has(need) ? `${scheme}${HOST}:${port(need)}` : "");
    return {
      addresses: {
        http: url("http://", "http"),
        https: url("https://", "https"),
        certificate: needs.includes("https") ? (this.#tls?.cert ?? "") : "",
        http2: url("http://", "http2"),
        grpc: url("", "grpc"),
        ports: { postgres: port("postgres"), mysql: port("mysql"), redis: port("redis") },
        chromium: needs.includes("chromium") ? (pathOf("chromium") as string) : "",
      },
      state: async () => {
        const waiting = await within(
          ANSWER_WITHIN,
          "the answer of a server to what it is busy with",
          Promise.all(asks.map((ask) => ask())),
        );
        const watched = [...opened.values()];
        return {
          connections: sum(watched.map((one) => one.connections())),
          unused: sum(watched.map((one) => one.unused())),
          served: sum(watched.map((one) => one.served())),
          waiting: sum(waiting),
        };
      },
      close: () => {
        for (const watched of opened.values()) watched.close();
      },
    };
  }

  async stop(): Promise<void> {
    this.#grpc?.stop();
    await Promise.all([...this.#databases.values()].map((database) => database.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function makeCertificate(folder: string): { readonly key: string; readonly cert: string } {
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=compat", "-addext", `subjectAltName=IP:${HOST}`, "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
