import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cancelled, ErrorGroup } from "../../src/index.js";
import { classify } from "../../src/kernel/classify.js";
import { inCancelledScopes, reasonOf } from "./support.js";

/** A random error, as data: so that what has to be found in it is known. */
type Shape =
  | { readonly kind: "genuine" | "shared" | "reason" | "abort" }
  | { readonly kind: "caused"; readonly by: Shape }
  | { readonly kind: "aggregate" | "group"; readonly of: readonly Shape[] };

const { shape } = fc.letrec<{ shape: Shape; leaf: Shape }>((tie) => ({
  leaf: fc.constantFrom<Shape>({ kind: "genuine" }, { kind: "shared" }, { kind: "reason" }, { kind: "abort" }),
  shape: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    tie("leaf"),
    fc.record({ kind: fc.constant("caused" as const), by: tie("leaf") }),
    fc.record({ kind: fc.constantFrom("aggregate" as const, "group" as const), of: fc.array(tie("shape"), { maxLength: 4 }) }),
  ),
}));

/** One error that may be in many places. */
const SHARED = new Error("shared");

/** An error of that shape. The genuine leaves are noted in order. */
function make(of: Shape, reason: Cancelled, genuine: unknown[]): unknown {
  switch (of.kind) {
    case "genuine": {
      const error = new Error(`genuine ${genuine.length}`);
      genuine.push(error);
      return error;
    }
    case "shared":
      genuine.push(SHARED);
      return SHARED;
    case "reason":
      return reason;
    case "abort":
      return new DOMException("no link", "AbortError");
    case "caused": {
      const cause = make(of.by, reason, []);
      const error = new Error("caused", { cause });
      if (of.by.kind === "genuine" || of.by.kind === "shared") genuine.push(error);
      return error;
    }
    case "aggregate":
      return new AggregateError(of.of.map((part) => make(part, reason, genuine)));
    case "group":
      return new ErrorGroup(
        of.of.map((part) => make(part, reason, genuine)),
        "a test",
      );
  }
}

function countLeaves(of: Shape): number {
  return "of" in of ? of.of.reduce((sum, part) => sum + countLeaves(part), 0) : 1;
}

/** Written by hand, as the library's own must not be its own judge. */
function leavesOf(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(leavesOf) : [error];
}

test("R3: whatever is nested in whatever, exactly the genuine errors are kept, in order and each once; only where there is none it is a cancellation", async () => {
  await inCancelledScopes(({ scope }) => {
    fc.assert(
      fc.property(shape, (of) => {
        const genuine: unknown[] = [];
        const error = make(of, reasonOf(scope), genuine);
        const verdict = classify(error, scope);
        // An empty aggregate is a failure: it holds no cancellation.
        expect(verdict.isCancellation).toBe(genuine.length === 0 && countLeaves(of) > 0);
        if (verdict.isCancellation) expect(verdict.reason).toBe(reasonOf(scope));
        else if (genuine.length === 0 || genuine.length === countLeaves(of)) expect(verdict.error).toBe(error);
        else expect(leavesOf(verdict.error)).toEqual([...new Set(genuine)]);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a chain of causes is followed for exactly 8 hops, and whether an abort is found in it does not depend on what else is there", async () => {
  const link = fc.constantFrom("genuine", "plain", "abort", "timeout", "reason");
  await inCancelledScopes(({ scope }) => {
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 14 }), (links) => {
        const error = links.reduceRight<unknown>((cause, kind) => {
          if (kind === "reason") return reasonOf(scope);
          if (kind === "plain") return { cause };
          const name = kind === "abort" ? "AbortError" : kind === "timeout" ? "TimeoutError" : "Error";
          return Object.assign(new Error(kind, { cause }), { name });
        }, undefined);
        // A reason has no further cause: what comes after it is not reached.
        const visible = links.slice(0, 9);
        const isLinked = visible.includes("reason");
        const untilTimeout = visible.includes("timeout") ? visible.slice(0, visible.indexOf("timeout")) : visible;
        const { isCancellation, assumed } = classify(error, scope);
        expect(isCancellation).toBe(isLinked || untilTimeout.includes("abort"));
        expect(assumed).toBe(!isLinked && untilTimeout.includes("abort") ? 1 : 0);
      }),
      { numRuns: 1_000 },
    );
  });
});
