import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.js";

export interface Node {
  readonly path: string;
  readonly version: string;
}

/** The Node to measure on. Where npm has not brought it (it does on Linux, x64), the one that runs this; which it is, is in the output. */
export function nodeOf(wanted: Options["node"]): Node {
  const pinned = fileURLToPath(new URL(`../../../test/bench/node_modules/node-${wanted}/bin/node`, import.meta.url));
  if (wanted === "here" || !existsSync(pinned)) {
    if (wanted !== "here") console.error(`npm has not brought Node ${wanted} to test/bench: measured on ${process.version}`);
    return { path: process.execPath, version: process.versions.node };
  }
  return { path: pinned, version: spawnSync(pinned, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1) };
}
