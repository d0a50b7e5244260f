import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How a runtime is run. */
export type Kind = "process" | "browser" | "smoke";

/** What the suite runs on. */
export interface Runtime {
  readonly name: string;
  readonly kind: Kind;
  readonly path: string;
  /** What comes before the script. */
  readonly args: readonly string[];
  readonly version: string;
}

interface Source {
  readonly name: string;
  readonly kind: Kind;
  /** Where it may be: below node_modules of this folder, or absolute. */
  readonly places: readonly string[];
  readonly args?: readonly string[];
  /** What to do where it is in none of them. */
  readonly remedy: string;
}

const NPM = "`npm ci` in test/runtimes brings it, for Linux on x64";
const node = (major: number): Source => ({ name: `node${major}`, kind: "process", places: [`node${major}/bin/node`], remedy: NPM });

/** In the order in which they are run: Node 20 is the last one, because `npm test` runs the suite on the Node that starts it. */
export const SOURCES: readonly Source[] = [
  { name: "workerd", kind: "smoke", places: ["@cloudflare/workerd-linux-64/bin/workerd", "workerd/bin/workerd"], remedy: NPM },
  {
    name: "chromium",
    kind: "browser",
    places: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
    remedy: "on Debian: apt-get install --no-install-recommends chromium",
  },
  { name: "deno", kind: "process", places: ["@deno/linux-x64-glibc/deno", "deno/deno"], args: ["run", "-A"], remedy: NPM },
  { name: "bun", kind: "process", places: ["@oven/bun-linux-x64/bin/bun", "bun/bin/bun.exe"], args: ["--bun"], remedy: NPM },
  node(26),
  node(24),
  node(22),
  node(20),
];

/** The one of this name, or what is to be done to have it. */
export function find({ name, kind, places, args = [], remedy }: Source): Runtime | string {
  for (const place of places) {
    const path = place.startsWith("/") ? place : fileURLToPath(new URL(`../../../node_modules/${place}`, import.meta.url));
    if (!existsSync(path)) continue;
    const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
    if (status === 0) return { name, kind, path, args, version: versionIn(stdout) };
  }
  return remedy;
}

/** The first thing that looks like a version. */
export function versionIn(text: string): string {
  return /\d[\d.-]*\d/.exec(text)?.[0] ?? "?";
}
