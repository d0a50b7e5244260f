import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Cancelled, ErrorGroup, leaves, TaskCancelledError, TimeoutError, UsageError } from "../../src/index.js";
import { Expectations, isAsExpected } from "../support/expected.js";
import { interpret, type Trace } from "../support/interpret.js";
import type { Outcome, Place } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { programs } from "../support/programs.js";
import { schedules } from "../support/schedules.js";
import { Boom } from "../support/throwables.js";

const observable = programs({ without: ["float", "drop"] });

function show(value: unknown): string {
  if (value instanceof ErrorGroup) return `[${value.errors.map(show).join(", ")}]`;
  return value instanceof Error || value instanceof DOMException
    ? `${value.name}(${value.message})`
    : (JSON.stringify(value) ?? String(value));
}

/** What a place may end with of its own accord, when nothing in it has failed. */
function isOwn({ statement, kind }: Place, error: unknown): boolean {
  if (error instanceof Cancelled) return true;
  if (statement?.op === "failAfter" || statement?.op === "shield") return error instanceof TimeoutError;
  return kind === "start" && (error instanceof TaskCancelledError || error instanceof UsageError);
}

/** Every place that has not ended as its code, its tasks and its cleanups make expect. */
function surprises(trace: Trace): string[] {
  const expectations = new Expectations(trace);
  fc.pre(expectations.isClear);
  const found: string[] = [];
  for (const { what, place, outcome } of trace.log) {
    if (what !== "settle" || outcome === undefined) continue;
    const failure = expectations.failure(place);
    const isFine = failure === undefined ? outcome.ok || isOwn(place, outcome.error) : !outcome.ok && isAsExpected(outcome.error, failure);
    if (!isFine) {
      const actual = outcome.ok ? "ended well" : `threw ${show(outcome.error)}`;
      found.push(`${place.kind} ${place.id} ${actual}, expected ${failure === undefined ? "no failure" : inspect(failure)}`);
    }
  }
  return found;
}

function inspect(failure: object): string {
  return JSON.stringify(failure, (_, value) => (value instanceof Error || value instanceof DOMException ? show(value) : value));
}

/** What the throw statements of a program have thrown, in order. */
function thrown({ log }: Trace): unknown[] {
  return log.flatMap(({ what, statement, outcome }) =>
    what === "end" && statement?.op === "throw" && outcome?.ok === false ? [outcome.error] : [],
  );
}

function leavesOf(outcome: Outcome): unknown[] {
  return outcome.ok ? [] : leaves(outcome.error);
}

describe("R3: no error is lost", () => {
  test("every scope ends with all that failed in it: the very object, or a group of them in order of occurrence, each once", async () => {
    await fc.assert(
      fc.asyncProperty(observable, schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
        expect(surprises(await interpret(program, { schedule, mode }))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  test("whatever is thrown where nobody catches it comes out of run(), once", async () => {
    const uncaught = programs({ without: ["float", "drop", "try", "join"], thrown: ["fresh"] });
    await fc.assert(
      fc.asyncProperty(uncaught, schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
        const trace = await interpret(program, { schedule, mode });
        const arrived = leavesOf(trace.outcome).filter((error) => error instanceof Boom);
        expect(new Set(arrived)).toEqual(new Set(thrown(trace)));
        expect(arrived.length).toBe(thrown(trace).length);
      }),
      { numRuns: 1500 },
    );
  });

  test("a group holds no cancellation, unless one was thrown where nothing was cancelled", async () => {
    await fc.assert(
      fc.asyncProperty(programs(), schedules(), async (program, schedule) => {
        const { log } = await interpret(program, { schedule });
        const leaked = new Set<unknown>();
        for (const { what, outcome, isCancelled } of log) {
          if (what === "leave" && !isCancelled && outcome !== undefined) for (const leaf of leavesOf(outcome)) leaked.add(leaf);
          if (what !== "settle" || outcome === undefined || outcome.ok || !(outcome.error instanceof ErrorGroup)) continue;
          expect(leavesOf(outcome).filter((leaf) => leaf instanceof Cancelled && !leaked.has(leaf))).toEqual([]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
