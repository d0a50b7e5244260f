import { readFileSync } from "node:fs";
import type { Case } from "./program.js";

/** The cases of a file: one JSON object a line. */
export function readCases(file: string | URL): Case[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Case);
}
