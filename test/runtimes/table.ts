import type { Result } from "./result.js";

export interface Row {
  readonly name: string;
  readonly version: string;
  readonly result: Result;
}

const HEAD = ["runtime", "version", "files", "passed", "skipped", "failed", "seconds", ""];
/** The columns of words; the others are numbers, which end at the right. */
const WORDS = new Set([0, 1, 7]);

/** The table, and below it what was skipped, and what went wrong. */
export function printed(rows: readonly Row[]): string {
  const cells = rows.map(({ name, version, result }) => {
    const { state, files, passed, skipped, failed, seconds } = result;
    const numbers = state === "not run" ? ["", "", "", ""] : [files, passed, skipped, failed].map(String);
    return [name, version, ...numbers, state === "not run" ? "" : seconds.toFixed(0), state === "passed" ? "" : state];
  });
  const all = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (WORDS.has(column) ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number)))
      .join("  ")
      .trimEnd();
  return [...all.map(line), ...rows.flatMap(skippedIn), ...rows.flatMap(complainedIn)].join("\n");
}

function skippedIn({ name, result }: Row): readonly string[] {
  return [...result.reasons].map(([reason, tests]) => `${name}: ${tests} skipped: ${reason}`);
}

function complainedIn({ name, result }: Row): readonly string[] {
  return result.complaints.map((complaint) => `${name}: ${result.state}: ${complaint}`);
}

/** One line: how many runtimes have passed, have failed, were not run. */
export function summed(rows: readonly Row[]): string {
  const those = (state: Result["state"]) => rows.filter(({ result }) => result.state === state).map(({ name }) => name);
  const absent = those("not run");
  const failed = those("failed");
  return [
    `${those("passed").length} passed`,
    `${failed.length} failed${failed.length > 0 ? ` (${failed.join(", ")})` : ""}`,
    ...(absent.length > 0 ? [`${absent.length} not run (${absent.join(", ")})`] : []),
  ].join(", ");
}
