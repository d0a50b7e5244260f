import fc from "fast-check";
import { expect, test } from "vitest";
import { Cancelled, ScopeEndedError } from "../../src/index.js";
import { interpret } from "../support/interpret.js";
import { isFloating, lineOf, type Place } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { programs } from "../support/programs.js";
import { schedules } from "../support/schedules.js";

const CHECKPOINTS: ReadonlySet<string | undefined> = new Set(["checkpoint", "sleep", "wait"]);

test("R4: whatever happens, each checkpoint that begins in a cancelled scope throws its one reason, and a scope stays cancelled", async () => {
  await fc.assert(
    fc.asyncProperty(programs(), schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
      const { log, cancelledSince } = await interpret(program, { schedule, mode });
      const begun = new Map<Place, boolean>();
      for (const [i, entry] of log.entries()) {
        const { what, place, statement, outcome, isCancelled } = entry;
        expect(isCancelled, lineOf(entry)).toBe((cancelledSince.get(place) ?? log.length) <= i);
        if (!CHECKPOINTS.has(statement?.op)) continue;
        if (what === "begin") begun.set(place, isCancelled);
        else if (what === "end" && begun.get(place)) {
          const error = outcome?.ok === false ? outcome.error : undefined;
          // What nobody awaits may go on after the end of its scope; and a scope of its own, as a wait has, ends quietly then.
          if (isFloating(place) && (error instanceof ScopeEndedError || statement?.op === "wait")) continue;
          expect(error, lineOf(entry)).toBeInstanceOf(Cancelled);
          expect(error, lineOf(entry)).toBe(place.scope.signal.reason);
        }
      }
    }),
    { numRuns: 1500 },
  );
});
