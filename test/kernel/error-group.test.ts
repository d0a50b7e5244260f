import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorGroup, leaves } from "../../src/index.js";

const a = new Error("a");
const b = new Error("b");
const c = new Error("c");
const d = new Error("d");

function group(...errors: unknown[]): ErrorGroup {
  return new ErrorGroup(errors, "root");
}

/** A group as nested arrays of its leaves. */
function structure(error: unknown): unknown {
  return error instanceof AggregateError ? error.errors.map(structure) : error;
}

/** Reading `errors` more often than any algorithm has to throws: a walk in circles would not end otherwise. */
function watched<G extends AggregateError>(aggregate: G): G {
  const { errors } = aggregate;
  let reads = 0;
  return Object.defineProperty(aggregate, "errors", {
    get() {
      if (++reads > 1_000) throw new Error("walks in circles");
      return errors;
    },
  });
}

/** Without their stacks, which would take most of the time. */
function nested(depth: number, inside: unknown): unknown {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let error = inside;
  for (let i = 0; i < depth; i++) error = group(error);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

describe("an ErrorGroup", () => {
  test("is an AggregateError with a name of its own", () => {
    const error = group(a, b);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.name).toBe("ErrorGroup");
    expect(error.errors).toEqual([a, b]);
  });

  test("says in one line how many there are, where, and what the first three are", () => {
    expect(group().message).toBe("0 errors in root");
    expect(group(a).message).toBe("1 error in root (Error: a)");
    expect(group(a, "b").message).toBe('2 errors in root (Error: a; "b")');
    expect(group(a, b, c).message).toBe("3 errors in root (Error: a; Error: b; Error: c)");
    expect(group(a, b, c, d, undefined).message).toBe("5 errors in root (Error: a; Error: b; Error: c; and 2 more)");
  });

  test("keeps its own list: that it was made of may change", () => {
    const errors = [a];
    const error = new ErrorGroup(errors, "root");
    errors.push(b);
    expect(error.errors).toEqual([a]);
  });

  test("takes a cause, as every error", () => {
    expect(new ErrorGroup([a], "root", { cause: b }).cause).toBe(b);
    expect(new ErrorGroup([a], "root")).not.toHaveProperty("cause");
  });

  describe("is shown by inspect()", () => {
    const error = group(a, group(new TypeError("deep"), new RangeError("deeper")));
    const headline = "ErrorGroup: 2 errors in root (Error: a; ErrorGroup: 2 errors in root (TypeError: deep; RangeError: deeper))";
    const inner = "ErrorGroup: 2 errors in root (TypeError: deep; RangeError: deeper)";

    function headlines(depth: number | undefined): string[] {
      const lines = inspect(error, depth === undefined ? {} : { depth }).split("\n");
      return lines.filter((line) => /Error/.test(line)).map((line) => line.trim().replace(/ {$/, ""));
    }

    test("with its message, and every error in it with its own", () => expect(headlines(undefined)).toEqual([headline, "Error: a", inner]));

    test("and the errors in those, if one looks that deep", () => {
      expect(headlines(9)).toEqual([headline, "Error: a", inner, "TypeError: deep", "RangeError: deeper"]);
    });
  });
});

describe("leaves()", () => {
  test("are all errors that are no groups, in order, however deep", () => {
    expect(group(a, group(b, group(c)), d).leaves()).toEqual([a, b, c, d]);
    expect(leaves(new AggregateError([a, group(b)]))).toEqual([a, b]);
  });

  test("of any other error is that error", () => {
    for (const error of [a, undefined, null, "x", [a, b]]) expect(leaves(error)).toEqual([error]);
  });

  test("of an empty group are none", () => {
    expect(group().leaves()).toEqual([]);
    expect(group(group(), group(group())).leaves()).toEqual([]);
  });

  test("of 100,000 groups in one another take no stack", () => {
    expect(leaves(nested(100_000, a))).toEqual([a]);
  });

  test("of a group that holds itself, or that is there twice, are each told once", () => {
    const circular = group(a);
    circular.errors.push(circular, b);
    expect(watched(circular).leaves()).toEqual([a, b]);
    const twice = group(c);
    expect(group(twice, twice).leaves()).toEqual([c]);
  });

  test("of an AggregateError of which `errors` is gone is that error", () => {
    const spoilt = Object.defineProperty(new AggregateError([a]), "errors", { value: undefined });
    expect(leaves(spoilt)).toEqual([spoilt]);
  });
});

describe("split()", () => {
  const isA = (error: unknown) => error === a;

  test("parts a group in what the predicate holds for and the rest, each in the structure it had", () => {
    const [matching, rest] = group(a, group(b, a), group(group(c))).split(isA);
    expect(structure(matching)).toEqual([a, [a]]);
    expect(structure(rest)).toEqual([[b], [[c]]]);
  });

  test("a part without a leaf is undefined", () => {
    expect(group(a, group(a)).split(isA)[1]).toBe(undefined);
    expect(group(b, group(c)).split(isA)[0]).toBe(undefined);
    expect(group().split(isA)).toEqual([undefined, undefined]);
  });

  test("the predicate sees leaves only, each once", () => {
    const seen: unknown[] = [];
    group(a, group(b, group(c)), d).split((error) => seen.push(error) > 0);
    expect(new Set(seen)).toEqual(new Set([a, b, c, d]));
    expect(seen).toHaveLength(4);
  });

  test("leaves the group as it was, which is the cause of its parts", () => {
    const inner = group(a, b);
    const error = group(inner);
    const [matching, rest] = error.split(isA);
    expect(structure(error)).toEqual([[a, b]]);
    for (const part of [matching, rest]) {
      expect(part?.cause).toBe(error);
      expect(part?.errors[0].cause).toBe(inner);
    }
  });

  test("parts plain AggregateErrors inside as well", () => {
    expect(structure(group(new AggregateError([a, b])).split(isA)[1])).toEqual([[b]]);
  });

  test("of 100,000 groups in one another takes no stack", () => {
    const [matching, rest] = (nested(100_000, a) as ErrorGroup).split(isA);
    expect(leaves(matching)).toEqual([a]);
    expect(rest).toBe(undefined);
  });

  test("of a group that holds itself comes to an end", () => {
    const circular = group(a, b);
    circular.errors.push(circular);
    const [matching, rest] = watched(circular).split(isA);
    expect([leaves(matching), leaves(rest)]).toEqual([[a], [b]]);
  });

  test("of any group: the parts have exactly its leaves, in order, and no group that is empty", () => {
    type Nested = readonly (number | Nested)[];
    const { tree } = fc.letrec<{ tree: Nested }>((tie) => ({
      tree: fc.array(fc.oneof({ depthSize: "small" }, fc.nat({ max: 9 }), tie("tree"))),
    }));
    const build = (of: Nested): ErrorGroup => group(...of.map((part) => (typeof part === "number" ? part : build(part))));
    const isEven = (n: unknown) => (n as number) % 2 === 0;
    const hasEmpty = (error: unknown): boolean =>
      error instanceof AggregateError && (error.errors.length === 0 || error.errors.some(hasEmpty));
    fc.assert(
      fc.property(tree, (of) => {
        const error = build(of);
        const [even, odd] = error.split(isEven);
        const all = error.leaves();
        expect(even?.leaves() ?? []).toEqual(all.filter(isEven));
        expect(odd?.leaves() ?? []).toEqual(all.filter((n) => !isEven(n)));
        expect([even, odd].some(hasEmpty)).toBe(false);
      }),
    );
  });
});
