import { leaves, membersOf } from "../../kernel/error-group.js";
import { complaintOf, type ErrorPattern, errorText, type GroupPattern, groupPattern, matches, patternText } from "./error-pattern.js";
import { pairing } from "./pairing.js";

/**
 * A check for a group (an `ErrorGroup`, any `AggregateError`) that has exactly these errors, in any order: each pattern stands for one of them. A group in it is
 * matched by a `groupOf` of its own.
 *
 * Source: trio.testing.RaisesGroup.
 *
 * @example
 * // node:test
 * await assert.rejects(work(), groupOf(TypeError, { type: RangeError, message: "too large" }));
 * // any other
 * await expect(work()).rejects.toSatisfy(groupOf(TypeError, /too large/, groupOf(Error)));
 */
export function groupOf(...patterns: readonly ErrorPattern[]): GroupPattern {
  return groupPattern("groupOf", patterns, (error) => {
    const members = membersOf(error);
    if (members === undefined) return `a group of ${counted(patterns.length)} was expected, not ${errorText(error)}`;
    return mismatch("the group", members, patterns);
  });
}

/**
 * As `groupOf`, for all errors that are no groups themselves, however deep they are; an error that is in no group is its own leaf. Whether there was one failure
 * or there were several that day makes no difference in form then.
 *
 * @example
 * await assert.rejects(work(), leavesOf({ type: RangeError, message: "too large" }));
 *
 * Source: trio.testing.RaisesGroup, with flatten_subgroups and allow_unwrapped.
 */
export function leavesOf(...patterns: readonly ErrorPattern[]): GroupPattern {
  return groupPattern("leavesOf", patterns, (error) => mismatch("the error", leaves(error), patterns));
}

/** What a matcher of vitest or jest returns. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/** The matchers, as they are called. For the types, where they are added: see `groupMatchers`. */
export interface GroupMatchers<R = unknown> {
  /** The value is a group of exactly these errors, in any order: see `groupOf`. */
  toBeGroupOf(...patterns: ErrorPattern[]): R;
  /** The errors in the value that are no groups are exactly these, in any order: see `leavesOf`. */
  toHaveLeaves(...patterns: ErrorPattern[]): R;
}

/**
 * Matchers for `expect.extend` of vitest, jest and bun:test.
 *
 * @example
 * expect.extend(groupMatchers);
 * declare module "vitest" {
 *   interface Matchers<T> extends GroupMatchers<T> {}
 * }
 * // jest: declare module "expect" { interface Matchers<R> extends GroupMatchers<R> {} }
 *
 * await expect(work()).rejects.toBeGroupOf(TypeError, "too large");
 * await expect(work()).rejects.toHaveLeaves(TypeError);
 */
export const groupMatchers = {
  toBeGroupOf: (received: unknown, ...patterns: ErrorPattern[]): MatcherResult => resultOf(groupOf(...patterns), received),
  toHaveLeaves: (received: unknown, ...patterns: ErrorPattern[]): MatcherResult => resultOf(leavesOf(...patterns), received),
};

function resultOf(pattern: GroupPattern, received: unknown): MatcherResult {
  const complaint = complaintOf(pattern, received);
  return {
    pass: complaint === undefined,
    message: () => complaint ?? `${errorText(received)} was not expected to match ${pattern.name}`,
  };
}

function mismatch(what: string, errors: readonly unknown[], patterns: readonly ErrorPattern[]): string | undefined {
  const errorFor = pairing(patterns.length, errors.length, (pattern, error) => matches(patterns[pattern] as ErrorPattern, errors[error]));
  const taken = new Set(errorFor);
  const missing = patterns.filter((_, i) => errorFor[i] === undefined).map((pattern) => `  missing: ${patternText(pattern)}`);
  const unexpected = errors.filter((_, i) => !taken.has(i)).map((error) => `  unexpected: ${errorText(error)}`);
  if (missing.length === 0 && unexpected.length === 0) return undefined;
  return `${what} has ${counted(errors.length)}, not exactly the ${patterns.length} expected:\n${[...missing, ...unexpected].join("\n")}`;
}

function counted(n: number): string {
  return n === 1 ? "1 error" : `${n} errors`;
}
