import { getEventListeners } from "node:events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeadlockError, Nursery, type RunOptions, run, sleep, sleepForever, Task } from "../../src/index.js";
import { Interpreter, MODES, type Mode } from "../support/interpreter.js";
import type { Place } from "../support/log.js";
import type { Program } from "../support/program.js";
import { programs } from "../support/programs.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { watchPlatform } from "./r12-platform-watch.js";
import { turns, watchProcess } from "./r12-process-watch.js";
import { watchRuntimes } from "./r12-runtime-watch.js";

/** What is done beside the program, in every n-th of its places: things that a program cannot say, most of which nobody awaits. */
interface Disorder {
  /** An open nursery with a task that waits, which nobody joins. */
  readonly open: number;
  /** An operation under a foreign signal, which nobody awaits. */
  readonly foreign: number;
  /** A listener on the signal of the scope. */
  readonly listen: number;
  /** The foreign signal of the run is aborted. */
  readonly abort: number;
}

const often = fc.integer({ min: 2, max: 12 });
const disorders: fc.Arbitrary<Disorder> = fc.record({ open: often, foreign: often, listen: often, abort: fc.integer({ min: 2, max: 60 }) });
type Foreign = "none" | "aborted before" | "aborted meanwhile";
const foreigns = fc.constantFrom<Foreign>("none", "aborted before", "aborted meanwhile");

/** Runs a program in disorder, and expects that nothing is left of it afterwards. */
async function expectNothingLeft(
  program: Program,
  mode: Mode,
  foreign: Foreign,
  disorder: Disorder,
  run: (body: (root: Nursery) => Promise<number>, options: RunOptions) => Promise<number>,
): Promise<void> {
  const ofRun = new AbortController();
  const other = new AbortController();
  if (foreign === "aborted before") ofRun.abort();
  const own = new Set<Task>();
  let isOver = false;
  const late: string[] = [];
  const entered = (place: Place): void => {
    const { id, scope, kind } = place;
    if (isOver && kind !== "floating") late.push(`${kind} ${id}`);
    const is = (every: number) => id % every === every - 1;
    if (kind === "floating") return;
    if (is(disorder.open)) own.add(Nursery.open({ signal: scope.signal }).startSoon((task) => sleepForever(task)));
    if (is(disorder.foreign) && mode === "ambient") void sleep(1e6, other);
    if (is(disorder.listen)) scope.signal.addEventListener("abort", () => {});
    if (is(disorder.abort) && foreign === "aborted meanwhile") ofRun.abort();
  };
  const interpreter = new Interpreter(program, mode, { entered });
  const options = { ambient: mode === "ambient", errors: program.errors, ...(foreign === "none" ? {} : { signal: ofRun.signal }) };
  const {
    value: platform,
    unhandled,
    uncaught,
  } = await watchProcess(() =>
    watchPlatform(() =>
      watchRuntimes(async () => {
        await run(interpreter.body, options).catch((error: unknown) => {
          if (error instanceof DeadlockError) throw error;
        });
        isOver = true;
      }),
    ),
  );
  await turns(2);
  const { timers, waiters } = platform.value;
  const tasks = [...interpreter.places.map(({ scope }) => scope).filter((scope) => scope instanceof Task), ...own];
  expect(tasks.filter(({ state }) => state === "pending" || state === "running").map(({ name }) => name)).toEqual([]);
  expect(timers.filter((timer) => timer.live)).toEqual([]);
  expect(waiters.filter((waiter) => waiter.isParked).map(({ op }) => op)).toEqual([]);
  expect(platform.ticking).toBe(0);
  for (const { signal } of [ofRun, other]) expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(late).toEqual([]);
  expect(unhandled).toEqual([]);
  expect(uncaught).toEqual([]);
}

test("in simulated time nothing is left of a run: no task, timer, wait, listener or unhandled rejection, whatever it did", async () => {
  await fc.assert(
    fc.asyncProperty(
      programs(),
      schedules(),
      fc.constantFrom(...MODES),
      foreigns,
      disorders,
      async (program, schedule, mode, foreign, disorder) => {
        await expectNothingLeft(program, mode, foreign, disorder, (body, options) =>
          simulate(body, { ...options, pick: pickOf(schedule) }),
        );
      },
    ),
    { numRuns: 600 },
  );
});

test("in production nothing is left of a run", async () => {
  const ms = fc.constantFrom(0, 0, 1, 2);
  await fc.assert(
    fc.asyncProperty(
      programs({ ms, depth: 3 }),
      fc.constantFrom(...MODES),
      foreigns,
      disorders,
      async (program, mode, foreign, disorder) => {
        await expectNothingLeft(program, mode, foreign, disorder, run);
      },
    ),
    { numRuns: 200 },
  );
});

test("nor is the process kept alive by anything", async () => {
  const { armed, ticking } = await watchPlatform(() =>
    run(async (nursery) => {
      nursery.startSoon(() => sleep(1e9));
      nursery.startSoon(() => sleep(2));
      nursery.deadline = 1e12;
      await sleep(1);
      nursery.cancel();
    }),
  );
  expect(armed).toBeGreaterThan(0);
  expect(ticking).toBe(0);
});
