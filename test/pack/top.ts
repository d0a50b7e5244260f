import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project, found from the sources as well as from what is built of them. */
export const top = above(dirname(fileURLToPath(import.meta.url)));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

export function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function above(folder: string): string {
  for (let each = folder; each !== dirname(each); each = dirname(each)) {
    if (existsSync(join(each, "package.json")) && manifestIn(each).name === "creche") return each;
  }
  throw new Error(`no package.json of creche at or above ${folder}`);
}
