import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Nursery, run, shield, sleep, type Task } from "../../src/index.js";
import { interpret } from "../support/interpret.js";
import { Interpreter } from "../support/interpreter.js";
import { type Entry, isFloating, lineOf, outwards, type Place } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { programs } from "../support/programs.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/**
 * The places that have to last until after `entry`. What nobody awaits is cancelled at the end of its scope, and its rest runs when it will: so
 * nothing has to last for floating code itself, but everything for the scopes and nurseries that it has opened.
 */
function* owners({ what, place }: Entry): Generator<Place> {
  const at = what === "settle" ? place.parent : place;
  if (at === undefined || at.kind === "floating") return;
  for (const owner of outwards(at)) if (owner.kind !== "floating") yield owner;
}

/** What happened in a place that had settled. */
function late(log: readonly Entry[]): string[] {
  const settled = new Set<Place>();
  const found: string[] = [];
  for (const entry of log) {
    for (const owner of owners(entry)) if (settled.has(owner)) found.push(lineOf(entry));
    if (entry.what === "settle") settled.add(entry.place);
  }
  return found;
}

/** The places whose code has begun but not ended, and those that were awaited in vain. */
function unended(log: readonly Entry[]): string[] {
  const open = new Set<Place>();
  const unsettled = new Set<Place>();
  for (const { what, place } of log) {
    if (what === "enter") open.add(place);
    if (what === "leave") {
      open.delete(place);
      if (isSettling(place)) unsettled.add(place);
    }
    if (what === "settle") unsettled.delete(place);
  }
  return [...open, ...unsettled].filter(({ kind }) => kind !== "floating").map(({ kind, id }) => `${kind} ${id}`);
}

/** Whether the log gets to know when it settles: code that floats may be cut off before. */
function isSettling(place: Place): boolean {
  if (place.kind === "task" || place.kind === "cleanup") return false;
  return !isFloating(place);
}

describe("R1: a scope ends last", () => {
  test("nothing that belongs to a scope, a nursery or a run goes on after that has settled, whatever happened", async () => {
    await fc.assert(
      fc.asyncProperty(programs(), schedules(), fc.constantFrom(...MODES), fc.nat(100), async (program, schedule, mode, abortAt) => {
        const controller = new AbortController();
        let statements = 0;
        const executing = () => {
          if (statements++ === abortAt) controller.abort();
        };
        const { log } = await interpret(program, { schedule, mode, executing, signal: controller.signal });
        expect(late(log)).toEqual([]);
        expect(unended(log)).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  test("in real time as well", async () => {
    const quick = programs({ ms: fc.constantFrom(0, 0, 1) });
    await fc.assert(
      fc.asyncProperty(quick, fc.constantFrom(...MODES), async (program, mode) => {
        const interpreter = new Interpreter(program, mode);
        const { log, body } = interpreter;
        await run(body, { ambient: mode === "ambient", errors: program.errors }).then(
          (value) => interpreter.settled({ ok: true, value }),
          (error) => interpreter.settled({ ok: false, error }),
        );
        const { length } = log;
        await new Promise((resolve) => setImmediate(resolve));
        expect(late(log.slice(0, length))).toEqual([]);
        expect(unended(log.slice(0, length))).toEqual([]);
        expect(late(log)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("also a nursery that was opened for `await using`, whether it is joined or left", async () => {
    const tasks = fc.array(fc.record({ ms: fc.nat(5), fails: fc.boolean(), background: fc.boolean(), cleans: fc.boolean() }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(tasks, fc.boolean(), schedules(), async (tasks, joins, schedule) => {
        let going = 0;
        const body = async () => {
          const nursery = Nursery.open();
          for (const { ms, fails, background, cleans } of tasks) {
            going++;
            const work = async (task: Task) => {
              if (cleans) task.defer(() => sleep(3).finally(() => going--));
              await shield(() => sleep(ms));
              if (!cleans) going--;
              if (fails) throw new Error("expected");
            };
            nursery.startSoon(work, { background });
          }
          await sleep(2);
          const end = joins ? nursery.join() : nursery[Symbol.asyncDispose]();
          await end.catch(() => {});
          expect(going).toBe(0);
        };
        await simulate(body, { pick: pickOf(schedule) });
      }),
      { numRuns: 300 },
    );
  });
});
