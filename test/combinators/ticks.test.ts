import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, every, failAfter, moveOnAfter, now, poll, sleep, sleepForever } from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { MODES, Passing } from "../support/passing.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { virtualNow } from "../support/virtual-now.js";

const programs = fc.record({
  period: fc.integer({ min: 1, max: 20 }),
  takes: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 }),
  initialDelay: fc.nat({ max: 30 }),
  fixed: fc.constantFrom("rate", "delay"),
  mode: fc.constantFrom(...MODES),
  schedule: schedules(),
});

/** When which tick must begin, told one after another. */
function ticksOf(period: number, takes: readonly number[], initialDelay: number, fixed: "rate" | "delay"): [tick: number, at: number][] {
  const ticks: [number, number][] = [];
  let tick = 0;
  let at = initialDelay;
  for (const time of takes) {
    ticks.push([tick, at]);
    const end = at + time;
    tick++;
    at = fixed === "delay" ? end + period : initialDelay + tick * period;
    if (fixed === "delay") continue;
    // The latest of those that are due; the others are missed.
    while (initialDelay + (tick + 1) * period <= end) tick++;
    at = Math.max(end, initialDelay + tick * period);
  }
  return ticks;
}

describe("every()", () => {
  test("calls at a fixed rate or delay, without drift and without overlap, at any order of wake-ups", async () => {
    await fc.assert(
      fc.asyncProperty(programs, async ({ period, takes, initialDelay, fixed, mode, schedule }) => {
        const passing = new Passing(mode);
        const ticks: [number, number][] = [];
        let running = 0;
        const enough = new Error("enough");
        await simulate(
          async (root) => {
            const calls = every(
              period,
              async (scope, tick) => {
                expect(running++).toBe(0);
                ticks.push([tick, virtualNow(scope)]);
                await sleep(takes[ticks.length - 1] as number, passing.at(scope));
                running--;
                if (ticks.length === takes.length) throw enough;
              },
              { fixed, initialDelay },
              passing.at(root),
            );
            expect(await rejectionOf(calls)).toBe(enough);
          },
          { ambient: mode === "ambient", pick: pickOf(schedule) },
        );
        expect(ticks).toEqual(ticksOf(period, takes, initialDelay, fixed));
      }),
      { numRuns: 500 },
    );
  });

  test("does not drift by rounding: the millionth tick is where it belongs", async () => {
    await simulate(async () => {
      let last = 0;
      await rejectionOf(
        every(0.1, (_, tick) => {
          // Most are missed, so that it does not take a million calls.
          last = tick;
          if (tick >= 1_000_000) throw new Error("enough");
          return sleep(99.95);
        }),
      );
      expect(last).toBeGreaterThanOrEqual(1_000_000);
      expect(now()).toBeGreaterThanOrEqual(last * 0.1);
      expect(now() - last * 0.1).toBeLessThan(0.1);
    });
  });

  test("a tick comes once, however its time is rounded", async () => {
    await simulate(async () => {
      const ticks: number[] = [];
      await moveOnAfter(20, () => every(0.1, (_, tick) => void ticks.push(tick)));
      expect(ticks).toEqual(ticks.map((_, i) => i));
      expect(ticks.length).toBe(200);
    });
  });

  test("with a period of 0 goes on as soon as others have had their turn", async () => {
    await simulate(async (nursery) => {
      let calls = 0;
      let turns = 0;
      nursery.startSoon(async () => {
        for (; turns < 5; turns++) await sleep(0);
      });
      await rejectionOf(
        every(0, () => {
          if (++calls === 10) throw new Error("enough");
        }),
      );
      expect([turns, now()]).toEqual([5, 0]);
    });
  });

  test("with a period without end calls once", async () => {
    await simulate(async () => {
      let calls = 0;
      await moveOnAfter(1e9, () => every(Number.POSITIVE_INFINITY, () => void calls++));
      expect(calls).toBe(1);
    });
  });

  test("waits for what a call leaves behind, before the next one begins", async () => {
    await simulate(async () => {
      const log: unknown[] = [];
      await moveOnAfter(25, () =>
        every(10, (scope, tick) => {
          log.push(["begins", tick, now()]);
          scope.defer(async () => {
            await sleep(12);
            log.push(["is over", tick, now()]);
          });
        }),
      );
      expect(log.slice(0, 4)).toEqual([
        ["begins", 0, 0],
        ["is over", 0, 12],
        ["begins", 1, 12],
        ["is over", 1, 24],
      ]);
    });
  });

  test("a call that is cancelled by its own scope is over, and the next one comes", async () => {
    await simulate(async () => {
      const ticks: number[] = [];
      await moveOnAfter(25, () =>
        every(10, (scope, tick) => {
          ticks.push(tick);
          scope.cancel();
          return sleepForever(scope);
        }),
      );
      expect(ticks).toEqual([0, 1, 2]);
    });
  });

  test("does not begin in a cancelled scope", async () => {
    await simulate(async () => {
      let calls = 0;
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await rejectionOf(every(1, () => void calls++))).toBeInstanceOf(Cancelled);
        expect(await rejectionOf(poll(1, () => ++calls))).toBeInstanceOf(Cancelled);
      });
      expect(calls).toBe(0);
    });
  });

  test("takes a scope in place of the options", async () => {
    await simulate(
      async (root) => {
        const scope = new CancelScope({ timeout: 15 });
        let calls = 0;
        await scope.run((own) => every(10, () => void calls++, own), root);
        expect(await poll(10, () => calls, root)).toBe(2);
      },
      { ambient: false },
    );
  });

  test.each([
    [-1, undefined, RangeError, "the period of every() is a number of milliseconds that is not negative (Infinity for no limit), not -1"],
    ["1", undefined, TypeError, 'the period of every() is a number of milliseconds, not "1"'],
    [
      1,
      { initialDelay: -1 },
      RangeError,
      "the initialDelay of every() is a number of milliseconds that is not negative (Infinity for no limit), not -1",
    ],
    [1, { fixed: "both" }, TypeError, '`fixed` of every() is "rate" or "delay", not "both"'],
  ])("refuses a period of %o with %o", async (period, options, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(
        type,
        every(period as never, () => {}, options as never),
      );
      expect(error.message).toBe(message);
    });
  });

  test("refuses what is no function", async () => {
    await simulate(async () => {
      expect(await rejectionOf(every(1, 2 as never))).toMatchObject({ name: "UsageError", message: "every() takes a function, not 2" });
      expect(await rejectionOf(poll(1, 2 as never))).toMatchObject({ name: "UsageError", message: "poll() takes a function, not 2" });
    });
  });
});

describe("poll()", () => {
  test("asks until there is something, the period after each answer", async () => {
    await simulate(async () => {
      const asked: number[] = [];
      const found = await poll(10, async (scope) => {
        asked.push(now());
        await sleep(3, scope);
        return asked.length === 3 ? "found" : undefined;
      });
      expect([found, asked]).toEqual(["found", [0, 13, 26]]);
    });
  });

  test("at a fixed rate, if that is asked for", async () => {
    await simulate(async () => {
      const asked: number[] = [];
      const ask = async () => {
        asked.push(now());
        await sleep(3);
        return asked.length === 3;
      };
      expect(await poll(10, ask, { fixed: "rate", initialDelay: 5 })).toBe(true);
      expect(asked).toEqual([5, 15, 25]);
    });
  });

  test.each([0, "", true, Number.NaN])("%o is something", async (value) => {
    await simulate(async () => {
      expect(await poll(10, () => value)).toBe(value);
    });
  });

  test.each([undefined, null, false])("%o is nothing", async (value) => {
    await simulate(async () => {
      let calls = 0;
      expect(await poll(10, () => (++calls === 3 ? "something" : value))).toBe("something");
      expect(calls).toBe(3);
    });
  });

  test("an answer that is cancelled by its own scope is none", async () => {
    await simulate(async () => {
      let calls = 0;
      const found = await poll(10, async (scope) => {
        if (++calls < 3) scope.cancel();
        await sleep(1, scope);
        return calls;
      });
      expect(found).toBe(3);
    });
  });

  test("throws what the function throws, and is cut off by a timeout", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      expect(await rejectionOf(poll(10, () => Promise.reject(boom)))).toBe(boom);
      expect(await rejectionOf(failAfter(25, () => poll(10, () => undefined)))).toMatchObject({ name: "TimeoutError" });
      expect(now()).toBe(25);
    });
  });
});
