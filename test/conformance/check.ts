import { isAmbientSupported } from "#context";
import { type SimulateOptions, simulate } from "../support/simulate.js";
import { Interpreter } from "./interpret.js";
import type { Case, Entry, Trace } from "./program.js";
import { randomPick } from "./random-pick.js";

export interface Verdict {
  readonly id: string;
  readonly state: "passed" | "failed";
  /** The first event that differs, with the schedule if it was a random one: task, expected and got. */
  readonly difference?: string;
}

export interface CheckOptions {
  /** The case was recorded with strict groups. */
  readonly isStrict?: boolean;
  /** Under how many random schedules it is run besides the default one: 1, 2, ... are their seeds. */
  readonly schedules?: number;
  /** Scopes are passed, and no ambient one is used. Default: whether this platform has none. */
  readonly isPassing?: boolean;
}

/** Runs one case in virtual time, and holds its trace against the recorded one. */
export async function check(
  { id, program, trace }: Case,
  { isStrict = false, schedules = 0, isPassing = !isAmbientSupported }: CheckOptions = {},
): Promise<Verdict> {
  const errors = isStrict ? "group" : "collapse";
  for (let seed = 0; seed <= schedules; seed++) {
    const options: SimulateOptions = seed === 0 ? { errors } : { errors, pick: randomPick(seed) };
    const difference = firstDifference(
      trace,
      await simulate((nursery) => new Interpreter(program, isPassing ? nursery : undefined).trace(), options),
    );
    if (difference !== undefined) return { id, state: "failed", difference: seed === 0 ? difference : `schedule ${seed}: ${difference}` };
  }
  return { id, state: "passed" };
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
