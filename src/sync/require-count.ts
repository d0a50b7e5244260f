import { describe } from "../kernel/describe.js";

/** A whole number that is not negative; with `orInfinite` also `Infinity`. */
export function requireCount(count: number, what: string, orInfinite = false): number {
  if (typeof count !== "number") throw new TypeError(`${what} is a whole number, not ${describe(count)}`);
  if (count >= 0 && (Number.isInteger(count) || (orInfinite && count === Number.POSITIVE_INFINITY))) return count;
  throw new RangeError(`${what} is a whole number that is not negative${orInfinite ? ", or Infinity" : ""}, not ${count}`);
}
