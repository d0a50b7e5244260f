import { describe } from "../kernel/describe.js";
import { requireFunction } from "../kernel/validate.js";
import type { TaskFunction, TaskFunctions } from "./task-function.js";

/** The functions that a combinator was given, in order, and the shape in which their results are to be returned. */
export interface NamedFunctions {
  readonly functions: readonly TaskFunction[];
  /** Of a record. */
  readonly keys: readonly string[] | undefined;
}

/** Reads what a combinator was given. Nothing has been started yet, so what is wrong with one of them starts none. */
export function namedFunctions(given: TaskFunctions | Iterable<TaskFunction>, caller: string): NamedFunctions {
  if (Array.isArray(given)) return { functions: listed(given, caller), keys: undefined };
  if (given === null || typeof given !== "object" || "then" in given) {
    throw new TypeError(`${caller} takes a list of functions, as [() => a(), () => b()], or an object of them, not ${describe(given)}`);
  }
  if (Symbol.iterator in given) return { functions: functionList(given, caller), keys: undefined };
  const named = Object.entries(given) as [string, TaskFunction][];
  return { functions: named.map(([key, fn]) => requireFunction(fn, `${caller}, for ${key},`)), keys: named.map(([key]) => key) };
}

/** As `namedFunctions`, where there are no names. */
export function functionList(given: Iterable<TaskFunction>, caller: string): readonly TaskFunction[] {
  requireFunctions(given, caller);
  return listed(Array.isArray(given) ? given : [...given], caller);
}

/** A list of functions, or any other iterable of them. What is in it is not looked at. */
export function requireFunctions(given: Iterable<TaskFunction>, caller: string): void {
  if (given === null || typeof given !== "object" || !(Symbol.iterator in given)) {
    throw new TypeError(`${caller} takes a list of functions, as [() => a(), () => b()], not ${describe(given)}`);
  }
}

function listed(given: readonly TaskFunction[], caller: string): readonly TaskFunction[] {
  // Not `forEach`, which leaves out the holes of a sparse array.
  for (let i = 0; i < given.length; i++) if (typeof given[i] !== "function") requireFunction(given[i], `${caller}, at ${i},`);
  return given;
}
