import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

declare module "vitest" {
  interface ProvidedContext {
    /** What `seedOf` came to in the configuration; use-seed.ts hands it to fast-check. */
    seed: number;
  }
}

const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));

/**
 * The seed of all properties of a run that name none. The same sources are tried with the same programs, wherever and how often the suite runs; with each
 * change of them come others. Another one by the environment: `SEED=7`, or `SEED=random` to hunt.
 */
export function seedOf(given: string | undefined, sources = SOURCES): number {
  if (given === "random") return Math.floor(Math.random() * 2 ** 31);
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given) | 0;
  if (given !== undefined) throw new RangeError(`SEED is an integer from 0, or "random", not ${JSON.stringify(given)}`);
  return hashOf(sources);
}

/** A number that depends on the names and the texts of the files, and on nothing of the machine. */
function hashOf(folder: string): number {
  const hash = createHash("sha256");
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  for (const path of paths.map((each) => each.replaceAll("\\", "/")).sort()) {
    hash.update(`${path}\n${readFileSync(join(folder, path), "utf8").replaceAll("\r\n", "\n")}\n`);
  }
  return hash.digest().readInt32BE();
}
