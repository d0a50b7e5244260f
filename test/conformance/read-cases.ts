import { readFileSync } from "node:fs";
import { casesIn } from "./cases-in.js";
import type { Case } from "./program.js";

/** The cases of a file. */
export function readCases(file: string | URL): Case[] {
  return casesIn(readFileSync(file, "utf8"));
}
