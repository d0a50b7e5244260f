import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { ErrorGroup, openNursery, run } from "../../src/index.js";
import { AssertionError, type ErrorPattern, type GroupMatchers, groupMatchers, groupOf, leavesOf } from "../../src/testing/index.js";

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration of vitest has it so
  interface Matchers<T = any> extends GroupMatchers<T> {}
}
expect.extend(groupMatchers);

const type = new TypeError("of type");
const range = new RangeError("too large");
const plain = new Error("plain");
const group = new ErrorGroup([type, range], "a nursery");
const nested = new ErrorGroup([plain, group], "another");

async function failing(): Promise<void> {
  await run(() =>
    openNursery((nursery) => {
      nursery.startSoon(() => Promise.reject(type));
      nursery.startSoon(() => Promise.reject(range));
    }),
  );
}

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return (error as Error).message;
  }
  throw new Error("it did not throw");
}

describe("groupOf() takes a group of exactly these errors, in any order:", () => {
  const right: readonly [string, readonly ErrorPattern[]][] = [
    ["classes", [RangeError, TypeError]],
    ["a class above", [Error, TypeError]],
    ["texts in messages", ["large", "of type"]],
    ["expressions, also those that remember where they were", [/^too/g, /^too|type/g]],
    ["functions", [(error) => error === range, TypeError]],
    [
      "shapes",
      [
        { type: TypeError, message: "of" },
        { message: /large/, check: (error: Error) => error === range },
      ],
    ],
    ["the errors themselves", [range, type]],
    ["anything", [{}, {}]],
  ];
  test.each(right)("%s", (_, patterns) => {
    expect(groupOf(...patterns)(group)).toBe(true);
    expect(groupOf(...[...patterns].reverse())(group)).toBe(true);
  });

  const wrong: readonly [string, readonly ErrorPattern[]][] = [
    ["too few", [TypeError]],
    ["too many", [TypeError, RangeError, Error]],
    ["one for two", [TypeError, TypeError]],
    ["another class", [TypeError, SyntaxError]],
    ["another text", ["of type", "too small"]],
    ["another object", [new TypeError("of type"), range]],
    ["half a shape", [{ type: TypeError, message: "no" }, RangeError]],
    ["a check that fails", [{ check: () => false }, RangeError]],
    ["a group that is none", [groupOf(Error), Error]],
  ];
  test.each(wrong)("not %s", (_, patterns) => {
    expect(() => groupOf(...patterns)(group)).toThrow(AssertionError);
  });

  test("a general pattern leaves to a special one what only that fits", () => {
    const three = new ErrorGroup([type, range, plain], "three");
    expect(groupOf(Error, { type: Error, check: (error: Error) => error !== plain }, TypeError)(three)).toBe(true);
    expect(groupOf({ check: (error: Error) => error !== plain }, Error, { check: (error: Error) => error === type })(three)).toBe(true);
  });

  test("groups within, by their own patterns; any aggregate", () => {
    expect(groupOf(groupOf(TypeError, RangeError), Error)(nested)).toBe(true);
    expect(() => groupOf(groupOf(TypeError), Error)(nested)).toThrow(AssertionError);
    expect(() => groupOf(Error, TypeError, RangeError)(nested)).toThrow(AssertionError);
    expect(groupOf(TypeError)(new AggregateError([type]))).toBe(true);
  });
});

describe("leavesOf()", () => {
  test("takes what is in groups however deep, and an error that is in none", () => {
    expect(leavesOf(TypeError, "plain", RangeError)(nested)).toBe(true);
    expect(leavesOf(TypeError)(type)).toBe(true);
    expect(() => leavesOf(TypeError, Error)(nested)).toThrow(AssertionError);
  });
});

describe("what is not as expected is told:", () => {
  test("what is missing, and what is too much", () => {
    expect(complaint(() => groupOf(TypeError, SyntaxError, "small", /x/, { type: RangeError, message: "no" })(group))).toBe(
      [
        "the group has 2 errors, not exactly the 5 expected:",
        "  missing: SyntaxError",
        '  missing: "small"',
        "  missing: /x/",
        '  missing: RangeError, message "no"',
        "  unexpected: RangeError: too large",
      ].join("\n"),
    );
    expect(complaint(() => groupOf(groupOf(plain))(nested))).toBe(
      [
        "the group has 2 errors, not exactly the 1 expected:",
        "  missing: groupOf(Error: plain)",
        "  unexpected: Error: plain",
        "  unexpected: ErrorGroup of 2 (TypeError: of type; RangeError: too large)",
      ].join("\n"),
    );
    expect(complaint(() => leavesOf()(type))).toBe("the error has 1 error, not exactly the 0 expected:\n  unexpected: TypeError: of type");
  });

  test("that it is no group, whatever it is", () => {
    expect(complaint(() => groupOf(Error)(plain))).toBe("a group of 1 error was expected, not Error: plain");
    expect(complaint(() => groupOf(Error, Error)(undefined))).toBe("a group of 2 errors was expected, not undefined");
  });
});

describe("they go where errors are looked at:", () => {
  test("expect.extend of vitest and jest", async () => {
    await expect(failing()).rejects.toBeGroupOf(TypeError, "too large");
    await expect(failing()).rejects.toHaveLeaves(TypeError, RangeError);
    expect(nested).not.toBeGroupOf(TypeError);
    expect(complaint2(() => expect(group).toBeGroupOf(TypeError, SyntaxError))).toBe(
      "the group has 2 errors, not exactly the 2 expected:\n  missing: SyntaxError\n  unexpected: RangeError: too large",
    );
    expect(complaint2(() => expect(type).not.toHaveLeaves(TypeError))).toBe(
      "TypeError: of type was not expected to match leavesOf(TypeError)",
    );
  });

  test("toSatisfy, and assert.rejects of Node", async () => {
    await expect(failing()).rejects.toSatisfy(groupOf(TypeError, RangeError));
    await assert.rejects(failing(), groupOf(TypeError, RangeError));
    await assert.rejects(assert.rejects(failing(), groupOf(TypeError)), /not exactly the 1 expected/);
  });
});

function complaint2(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it did not throw");
}
