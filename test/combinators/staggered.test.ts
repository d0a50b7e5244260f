import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  type CancelScope,
  checkpoint,
  ErrorGroup,
  hedge,
  moveOnAfter,
  now,
  CancelScope as Scope,
  sleep,
  sleepForever,
  staggered,
  type TaskFunction,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { MODES, Passing } from "../support/passing.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { virtualNow } from "../support/virtual-now.js";
import { Resource } from "./jobs.js";

/** An attempt: how long it takes, and whether it succeeds. */
interface Attempt {
  readonly takes: number;
  readonly succeeds: boolean;
}

interface Story {
  /** When each attempt began. */
  readonly begins: readonly number[];
  readonly winner: number | undefined;
  readonly endsAt: number;
}

/** What must happen, told step by step: an attempt begins at the start, or when its predecessor failed, or `delay` after it, whichever comes first. */
function storyOf(attempts: readonly Attempt[], delay: number): Story {
  const begins: number[] = [];
  let at = 0;
  let wonAt = Number.POSITIVE_INFINITY;
  let winner: number | undefined;
  let endsAt = 0;
  for (const [i, { takes, succeeds }] of attempts.entries()) {
    if (at >= wonAt) break;
    begins.push(at);
    const end = at + takes;
    if (succeeds && end < wonAt) {
      wonAt = end;
      winner = i;
    }
    endsAt = Math.max(endsAt, end);
    at = succeeds ? at + delay : Math.min(end, at + delay);
  }
  return { begins, winner, endsAt: winner === undefined ? endsAt : wonAt };
}

describe("staggered()", () => {
  test("begins the next attempt after a delay or a failure; the first success wins, at any order of wake-ups", async () => {
    const programs = fc.record({
      // No two instants are equal: the fractions see to that.
      attempts: fc.array(fc.record({ takes: fc.nat({ max: 20 }), succeeds: fc.nat({ max: 3 }).map((n) => n === 0) }), {
        minLength: 1,
        maxLength: 6,
      }),
      delay: fc.oneof(
        fc.integer({ min: 1, max: 12 }).map((n) => n + 1 / 997),
        fc.constant(Number.POSITIVE_INFINITY),
      ),
      mode: fc.constantFrom(...MODES),
      schedule: schedules(),
    });
    await fc.assert(
      fc.asyncProperty(programs, async ({ attempts, delay, mode, schedule }) => {
        const offsets = attempts.map(({ takes, succeeds }, i) => ({ takes: takes + 2 ** i / 1024, succeeds }));
        const story = storyOf(offsets, delay);
        const passing = new Passing(mode);
        const begins: number[] = [];
        let running = 0;
        let taken = 0;
        await simulate(
          async (root) => {
            function* functions(): Generator<TaskFunction<number>> {
              for (const [i, { takes, succeeds }] of offsets.entries()) {
                taken++;
                yield async (scope) => {
                  begins.push(virtualNow(scope));
                  running++;
                  try {
                    await sleep(takes, passing.at(scope));
                  } finally {
                    running--;
                  }
                  if (!succeeds) throw new Error(`of ${i}`);
                  return i;
                };
              }
            }
            const attempt = staggered(functions(), { delay }, passing.at(root));
            if (story.winner !== undefined) expect(await attempt).toBe(story.winner);
            else {
              const group = await rejectionAs(ErrorGroup, attempt);
              expect(group.errors.map((error) => (error as Error).message)).toEqual(attempts.map((_, i) => `of ${i}`));
            }
            expect([running, virtualNow(root)]).toEqual([0, story.endsAt]);
          },
          { ambient: mode === "ambient", pick: pickOf(schedule) },
        );
        expect(begins).toEqual(story.begins);
        // No function is made before its turn.
        expect(taken).toBe(story.begins.length);
      }),
      { numRuns: 300 },
    );
  });

  test("has a delay of 250 ms by default", async () => {
    await simulate(async () => {
      expect(await staggered([sleepForever, () => now()])).toBe(250);
    });
  });

  test("with a delay of 0 begins all, one after another, and lets others run in between", async () => {
    await simulate(async () => {
      function* endless(): Generator<TaskFunction<string>> {
        for (let i = 0; ; i++) yield (scope) => (i === 3 ? "third" : sleepForever(scope));
      }
      expect(await staggered(endless(), { delay: 0 })).toBe("third");
    });
  });

  test("closes the iterable when it needs no more of it", async () => {
    await simulate(async () => {
      let closed = 0;
      function* functions(): Generator<TaskFunction<number>> {
        try {
          for (;;) yield () => 1;
        } finally {
          closed++;
        }
      }
      expect(await staggered(functions())).toBe(1);
      expect(closed).toBe(1);
    });
  });

  test("does not close an iterator that has come to its end, or thrown, by itself", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      let closed = 0;
      const iterable = (last: () => IteratorResult<TaskFunction<number>>): Iterable<TaskFunction<number>> => ({
        [Symbol.iterator]() {
          let asked = 0;
          return {
            next: () => (asked++ === 0 ? { done: false, value: () => Promise.reject(new Error("failed")) } : last()),
            return: () => {
              closed++;
              return { done: true, value: undefined };
            },
          };
        },
      });
      expect(await rejectionOf(staggered(iterable(() => ({ done: true, value: undefined }))))).toBeInstanceOf(ErrorGroup);
      const throwing = iterable(() => {
        throw boom;
      });
      expect(await rejectionOf(staggered(throwing))).toBe(boom);
      expect(closed).toBe(0);
    });
  });

  test("cancels and awaits the losers, and disposes what they bring all the same", async () => {
    await simulate(async () => {
      const late = new Resource(0, false);
      let isOver = false;
      const stubborn = async (scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        await new Scope({ shield: true }).run(() => sleep(5));
        isOver = true;
        return late;
      };
      expect(await staggered([stubborn, () => "first"], { delay: 10 })).toBe("first");
      expect([isOver, late.disposals, now()]).toEqual([true, 1, 15]);
    });
  });

  test("of no functions rejects, as any() does", async () => {
    await simulate(async () => {
      const error = await rejectionAs(ErrorGroup, staggered([]));
      expect([error.errors, error.message]).toEqual([[], "0 errors in root > staggered: there was no function that could succeed"]);
    });
  });

  test("a promise among them is refused when its turn has come, and cancels the others", async () => {
    await simulate(async () => {
      let isOver = false;
      const other = async (scope: CancelScope) => {
        try {
          await sleepForever(scope);
        } finally {
          isOver = true;
        }
      };
      const error = await rejectionOf(staggered([other, Promise.resolve(1) as never], { delay: 5 }));
      expect(error).toMatchObject({
        name: "UsageError",
        message:
          "staggered(), at 1, takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()",
      });
      expect([isOver, now()]).toEqual([true, 5]);
    });
  });

  test("an iterable that throws cancels the others, and is what it rejects with", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      function* functions(): Generator<TaskFunction> {
        yield sleepForever;
        throw boom;
      }
      expect(await rejectionOf(staggered(functions(), { delay: 5 }))).toBe(boom);
    });
  });

  test("is cut off by a cancellation from outside, failures or not", async () => {
    await simulate(async () => {
      const scope = new Scope({ timeout: 20 });
      await scope.run(async () => {
        const error = await rejectionOf(staggered([() => Promise.reject(new Error("boom")), sleepForever, sleepForever], { delay: 15 }));
        expect(error).toBeInstanceOf(Cancelled);
        expect(now()).toBe(20);
        await checkpoint();
      });
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test.each([
    [undefined, TypeError, "staggered() takes a list of functions, as [() => a(), () => b()], not undefined"],
    ["ab", TypeError, 'staggered() takes a list of functions, as [() => a(), () => b()], not "ab"'],
    [{ a: () => 1 }, TypeError, "staggered() takes a list of functions, as [() => a(), () => b()], not an object"],
  ])("refuses %o", async (given, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(type, staggered(given as never));
      expect(error.message).toBe(message);
    });
  });

  test("refuses a wrong delay", async () => {
    await simulate(async () => {
      const error = await rejectionAs(RangeError, staggered([], { delay: -1 }));
      expect(error.message).toBe(
        "the delay of staggered() is a number of milliseconds that is not negative (Infinity for no limit), not -1",
      );
    });
  });
});

describe("hedge()", () => {
  test("calls again after the delay, and the first success wins", async () => {
    await simulate(async () => {
      const calls: number[][] = [];
      const fn = async (scope: CancelScope, attempt: number) => {
        calls.push([attempt, now()]);
        await sleep(attempt === 1 ? 1_000 : 10, scope);
        return attempt;
      };
      expect(await hedge(fn, { delay: 50 })).toBe(2);
      expect([calls, now()]).toEqual([
        [
          [1, 0],
          [2, 50],
        ],
        60,
      ]);
    });
  });

  test("makes two attempts by default, as many as it is told otherwise, and not one more than are needed", async () => {
    await simulate(async () => {
      let calls = 0;
      const failing = () => Promise.reject(new Error(`call ${++calls}`));
      expect((await rejectionAs(ErrorGroup, hedge(failing, { delay: 5 }))).errors.length).toBe(2);
      calls = 0;
      const group = await rejectionAs(ErrorGroup, hedge(failing, { delay: 5, attempts: 4 }));
      expect(group.errors.map((error) => (error as Error).message)).toEqual(["call 1", "call 2", "call 3", "call 4"]);
      expect(now()).toBe(0);
      calls = 0;
      expect(await hedge(() => ++calls, { delay: 5, attempts: 9 })).toBe(1);
    });
  });

  test("calls its tasks after the function", async () => {
    await simulate(async () => {
      const names: string[] = [];
      await moveOnAfter(15, () =>
        hedge(
          function readRow(scope) {
            names.push(scope.name);
            return sleepForever(scope);
          },
          { delay: 10 },
        ),
      );
      expect(names).toEqual(["readRow#1", "readRow#2"]);
    });
  });

  test.each([
    [{ delay: -1 }, RangeError, "the delay of hedge() is a number of milliseconds that is not negative (Infinity for no limit), not -1"],
    [{}, TypeError, "the delay of hedge() is a number of milliseconds, not undefined"],
    [undefined, TypeError, "the delay of hedge() is a number of milliseconds, not undefined"],
    [{ delay: 1, attempts: 0 }, RangeError, "`attempts` of hedge() is a whole number from 1, or Infinity, not 0"],
    [{ delay: 1, attempts: 1.5 }, RangeError, "`attempts` of hedge() is a whole number from 1, or Infinity, not 1.5"],
    [{ delay: 1, attempts: "2" }, TypeError, '`attempts` of hedge() is a number, not "2"'],
  ])("refuses %o", async (options, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(
        type,
        hedge(() => 1, options as never),
      );
      expect(error.message).toBe(message);
    });
  });

  test("refuses what is no function", async () => {
    await simulate(async () => {
      expect(await rejectionOf(hedge(Promise.resolve(1) as never, { delay: 1 }))).toMatchObject({
        message:
          "hedge() takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()",
      });
    });
  });
});
