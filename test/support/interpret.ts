import { DeadlockError } from "../../src/index.js";
import { type Hooks, Interpreter } from "./interpreter.js";
import type { Entry, Outcome, Place } from "./log.js";
import type { Mode } from "./passing.js";
import type { Program } from "./program.js";
import { pickOf, type Schedule } from "./schedules.js";
import { type SimulateOptions, simulate } from "./simulate.js";

export interface Trace {
  readonly program: Program;
  readonly log: readonly Entry[];
  /** The first is that of the run. */
  readonly places: readonly Place[];
  /** From which entry of the log on the scope of a place was seen to be cancelled. */
  readonly cancelledSince: ReadonlyMap<Place, number>;
  /** Of `run`. */
  readonly outcome: Outcome;
}

export interface InterpretOptions extends Omit<SimulateOptions, "pick" | "ambient" | "errors">, Hooks {
  readonly schedule?: Schedule | undefined;
  readonly mode?: Mode | undefined;
}

/**
 * Runs a program in virtual time, and tells what happened. Programs do not deadlock, so a `DeadlockError` is thrown on.
 *
 * @example
 * fc.asyncProperty(programs(), schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
 *   const { log } = await interpret(program, { schedule, mode });
 *   for (const entry of log) expect(isFine(entry), lineOf(entry)).toBe(true);
 * });
 */
export async function interpret(program: Program, options: InterpretOptions = {}): Promise<Trace> {
  const { schedule = 0, mode = "ambient", entered, executing, ...others } = options;
  const interpreter = new Interpreter(program, mode, { entered, executing });
  let outcome: Outcome;
  try {
    const value = await simulate(interpreter.body, {
      ...others,
      pick: pickOf(schedule),
      ambient: mode === "ambient",
      errors: program.errors,
    });
    outcome = { ok: true, value };
  } catch (error) {
    if (error instanceof DeadlockError) throw error;
    outcome = { ok: false, error };
  }
  interpreter.settled(outcome);
  const { log, places, cancelledSince } = interpreter;
  return { program, log, places, cancelledSince, outcome };
}
