/** Stands for -0 in a Map, which would take it for 0. */
const NEGATIVE_ZERO = Symbol("-0");

/** The errors in order of occurrence, each once. Any value may be one, so they are told apart as by `Object.is`. */
export function distinct(errors: readonly unknown[]): unknown[] {
  return [...new Map(errors.map((error) => [Object.is(error, -0) ? NEGATIVE_ZERO : error, error])).values()];
}
