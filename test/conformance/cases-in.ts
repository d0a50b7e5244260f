import type { Case } from "./program.js";

/** The cases in the text of a file: one JSON object a line. */
export function casesIn(text: string): Case[] {
  const lines = text.split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Case);
}
