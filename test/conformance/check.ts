import { type SimulateOptions, simulate } from "../../src/testing/simulate.js";
import { Interpreter } from "./interpret.js";
import type { Case, Entry, Trace } from "./program.js";

export interface Verdict {
  readonly id: string;
  readonly state: "passed" | "failed" | "skipped";
  /** The first event that differs: task, expected and got. */
  readonly difference?: string;
}

/** Whether a program has what the library does not have yet. */
export function isSkipped({ program }: Case): boolean {
  return Object.keys(program.channels ?? {}).length > 0 || (program.conditions ?? []).length > 0;
}

export interface CheckOptions {
  /** The case was recorded with strict groups. */
  readonly isStrict?: boolean;
  /** Which ready wake-up goes on next. Default: the oldest. */
  readonly pick?: SimulateOptions["pick"];
}

/** Runs one case in virtual time, and holds its trace against the recorded one. */
export async function check(recorded: Case, { isStrict = false, pick }: CheckOptions = {}): Promise<Verdict> {
  const { id } = recorded;
  if (isSkipped(recorded)) return { id, state: "skipped" };
  const trace = await simulate(() => new Interpreter(recorded.program).trace(), { errors: isStrict ? "group" : "collapse", pick });
  const difference = firstDifference(recorded.trace, trace);
  return difference === undefined ? { id, state: "passed" } : { id, state: "failed", difference };
}

function firstDifference(expected: Trace, got: Trace): string | undefined {
  for (const task of new Set([...Object.keys(expected.tasks), ...Object.keys(got.tasks)])) {
    const [theirs, ours] = [expected.tasks[task] ?? [], got.tasks[task] ?? []];
    for (let i = 0; i < Math.max(theirs.length, ours.length); i++) {
      if (show(theirs[i]) !== show(ours[i])) return `task ${task}, event ${i + 1}: expected ${show(theirs[i])}, got ${show(ours[i])}`;
    }
  }
  return expected.outcome === got.outcome ? undefined : `outcome: expected ${expected.outcome}, got ${got.outcome}`;
}

function show(entry: Entry | undefined): string {
  return entry === undefined ? "nothing" : `"${entry[1]}" at ${entry[0]}`;
}
