import { describe } from "../../kernel/describe.js";
import { membersOf } from "../../kernel/error-group.js";
import { AssertionError } from "../errors/assertion-error.js";

/** Any class of errors. */
export type ErrorClass = abstract new (...args: never) => Error;

/** Everything that is given holds. */
export interface ErrorShape {
  readonly type?: ErrorClass | undefined;
  /** A part of the message, or an expression that it matches. */
  readonly message?: string | RegExp | undefined;
  readonly check?: ((error: never) => boolean) | undefined;
}

/**
 * What one error is expected to be: of a class; with a text in its message; with a message that matches; what a function says; all that a shape says; a group
 * again; or that very object.
 */
export type ErrorPattern = ErrorClass | string | RegExp | ((error: unknown) => boolean) | ErrorShape | GroupPattern | Error;

const GROUP = Symbol("group pattern");

/** A check of a whole group, made by `groupOf` or `leavesOf`. Returns true, or throws an AssertionError that says what is not as expected. */
export interface GroupPattern {
  (error: unknown): true;
  /** What is wrong with an error; `undefined`: nothing. @internal */
  readonly [GROUP]: (error: unknown) => string | undefined;
}

/** @internal */
export function groupPattern(name: string, patterns: readonly ErrorPattern[], wrong: (error: unknown) => string | undefined): GroupPattern {
  const pattern = (error: unknown): true => {
    const complaint = wrong(error);
    if (complaint !== undefined) throw new AssertionError(complaint, { cause: error });
    return true;
  };
  Object.defineProperty(pattern, "name", { value: `${name}(${patterns.map(patternText).join(", ")})` });
  return Object.assign(pattern, { [GROUP]: wrong });
}

/** What is wrong with an error; `undefined`: nothing. */
export function complaintOf(pattern: GroupPattern, error: unknown): string | undefined {
  return pattern[GROUP](error);
}

export function matches(pattern: ErrorPattern, error: unknown): boolean {
  if (typeof pattern === "string" || pattern instanceof RegExp) return hasMessage(error, pattern);
  if (pattern instanceof Error) return pattern === error;
  if (typeof pattern !== "function") {
    const { type, message, check } = pattern as ErrorShape;
    return (
      (type === undefined || error instanceof type) &&
      (message === undefined || hasMessage(error, message)) &&
      (check === undefined || check(error as never))
    );
  }
  if (isGroupPattern(pattern)) return complaintOf(pattern, error) === undefined;
  return isErrorClass(pattern) ? error instanceof pattern : (pattern as (error: unknown) => boolean)(error);
}

export function patternText(pattern: ErrorPattern): string {
  if (typeof pattern === "function") return pattern.name || "a function";
  if (typeof pattern === "string") return JSON.stringify(pattern);
  if (pattern instanceof RegExp) return String(pattern);
  if (pattern instanceof Error) return describe(pattern);
  const { type, message, check } = pattern as ErrorShape;
  const parts = [
    ...(type === undefined ? [] : [type.name]),
    ...(message === undefined ? [] : [`message ${typeof message === "string" ? JSON.stringify(message) : String(message)}`]),
    ...(check === undefined ? [] : [`check ${check.name || "a function"}`]),
  ];
  return parts.length === 0 ? "any error" : parts.join(", ");
}

/** An error as in messages; a group with what is in it. */
export function errorText(error: unknown): string {
  const members = membersOf(error);
  return members === undefined ? describe(error) : `${(error as Error).name} of ${members.length} (${members.map(describe).join("; ")})`;
}

function hasMessage(error: unknown, expected: string | RegExp): boolean {
  const message = error instanceof Error ? error.message : String(error);
  // Not `test`, which remembers where it was in expressions with the flag g.
  return typeof expected === "string" ? message.includes(expected) : message.search(expected) >= 0;
}

function isGroupPattern(pattern: object): pattern is GroupPattern {
  return GROUP in pattern;
}

function isErrorClass(pattern: unknown): pattern is ErrorClass {
  const { prototype } = pattern as { readonly prototype?: unknown };
  return pattern === Error || prototype instanceof Error;
}
