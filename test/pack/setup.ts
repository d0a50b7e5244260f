import { spawnSync } from "node:child_process";
import { top } from "./top.js";

/** Builds what is bundled and packed, if it is not what the sources say. */
export function setUp(): void {
  const { status, stderr } = spawnSync(process.execPath, [".ci/setup.mjs"], { cwd: top, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
