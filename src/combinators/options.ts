import { describe } from "../kernel/describe.js";
import type { Cancellable } from "../kernel/types.js";

/** The options of a combinator. A scope in their place has none of them. */
export function optionsOf<O extends object>(given: O | undefined, caller: string): Partial<O> {
  if (given === undefined) return {};
  if (typeof given === "object" && given !== null) return given;
  throw new TypeError(`the options of ${caller} are an object, not ${describe(given)}`);
}

/** Where it runs: as the last argument says, or else the options. Options that are no object say nothing, and are refused by `optionsOf`. */
export function whereOf(scope: Cancellable | undefined, options: Cancellable | undefined): Cancellable | undefined {
  return scope ?? (typeof options === "object" ? options : undefined) ?? undefined;
}

/** A number of things that are there at a time, or one after another: at least one. */
export function requireBound(n: number, what: string): number {
  if (typeof n !== "number") throw new TypeError(`${what} is a number, not ${describe(n)}`);
  if (n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 1)) return n;
  throw new RangeError(`${what} is a whole number from 1, or Infinity, not ${n}`);
}
