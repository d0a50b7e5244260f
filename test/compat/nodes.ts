import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A Node that the probes run on: a column of the table. */
export interface NodeVersion {
  readonly major: number;
  readonly version: string;
  readonly path: string;
}

/** The npm packages that bring a Node, by the names that package.json gives them. */
export const PINNED = ["node-20", "node-24"];

/** The Nodes that npm packages bring (Linux on x64 only). */
export function pinnedNodes(): readonly NodeVersion[] {
  return PINNED.map((name) => fileURLToPath(new URL(`../node_modules/${name}/bin/node`, import.meta.url)))
    .filter(existsSync)
    .map(nodeAt);
}

export function nodeAt(path: string): NodeVersion {
  const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
  return { major: Number.parseInt(version, 10), version, path };
}
