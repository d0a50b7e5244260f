import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { top } from "./top.js";

const index = join(top, "dist/src/index.js");

/** What `creche` exports besides types. */
export async function publicNames(): Promise<readonly string[]> {
  const creche: object = await import(pathToFileURL(index).href);
  return Object.keys(creche).sort();
}

/** The files that the public names are made in, as `sync/lock.js`, by name. */
export function homes(): ReadonlyMap<string, string> {
  const lines = readFileSync(index, "utf8").matchAll(/^export \{([^}]*)\} from "\.\/([^"]+)";/gm);
  return new Map([...lines].flatMap(([, names = "", file = ""]) => names.split(",").map((name) => [name.trim(), file] as const)));
}
