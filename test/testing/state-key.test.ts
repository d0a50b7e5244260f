import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StateKeys } from "../../src/testing/history/state-key.js";

const same = (one: unknown, other: unknown) => {
  const keys = new StateKeys();
  return keys.of(one) === keys.of(other);
};

describe("two states have the same key if, and only if,", () => {
  test("they are the same by structure", () => {
    const value = fc.anything({ withBigInt: true, withMap: true, withSet: true, maxDepth: 3, maxKeys: 3 });
    const small = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(0, -0, Number.NaN, "", "0", "[", null, undefined, 0n, true),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value"), { maxLength: 2 }),
      object: fc.dictionary(fc.constantFrom("a", "b"), tie("value"), { maxKeys: 2, noNullPrototype: true }),
    })).value;
    fc.assert(
      fc.property(value, (each) => same(each, structuredClone(each))),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(small, small, (one, other) => same(one, other) === isDeepStrictEqual(one, other)),
      { numRuns: 3000 },
    );
  });

  test("they are the same maps and sets", () => {
    expect(same(new Map([[1, [2]]]), new Map([[1, [2]]]))).toBe(true);
    expect(same(new Map([[1, 2]]), new Map([[2, 1]]))).toBe(false);
    expect(same(new Set([1, 2]), [1, 2])).toBe(false);
    expect(same(new Set([1, 2]), new Set([1, 3]))).toBe(false);
  });

  test("the same objects come in the same places, in rings too", () => {
    const [a, b] = [{ n: 1 }, { n: 2 }];
    expect(same([a, b, a], [a, b, b])).toBe(false);
    const ring = (n: number) => {
      const item: { n: number; next?: unknown } = { n };
      item.next = [item];
      return item;
    };
    expect(same(ring(1), ring(1))).toBe(true);
    expect(same(ring(1), ring(2))).toBe(false);
  });

  test("instances of classes, functions and symbols are the very same", () => {
    const [one, other] = [new Date(0), new Date(0)];
    expect(same([one], [one])).toBe(true);
    expect(same([one], [other])).toBe(false);
    expect(same(Symbol.iterator, Symbol("x"))).toBe(false);
    expect(
      same(
        () => 1,
        () => 1,
      ),
    ).toBe(false);
  });

  test("however deep they are", () => {
    let deep: unknown = null;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(same(deep, [deep])).toBe(false);
  });
});
