import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ErrorGroup,
  failAfter,
  moveOnAfter,
  now,
  type RetryOptions,
  retry,
  run,
  sleep,
  sleepForever,
  TaskCancelledError,
  TimeoutError,
  UsageError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { MODES, Passing } from "../support/passing.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { virtualNow } from "../support/virtual-now.js";
import { Resource } from "./jobs.js";

/** Fails so many times, then succeeds; notes when it was called. */
function failing(times: number): {
  readonly fn: (scope: CancelScope, attempt: number) => string;
  readonly calls: number[];
  readonly errors: Error[];
} {
  const calls: number[] = [];
  const errors: Error[] = [];
  const fn = (scope: CancelScope, attempt: number) => {
    calls.push(virtualNow(scope));
    expect(attempt).toBe(calls.length);
    if (calls.length > times) return "success";
    errors.push(new Error(`failure ${attempt}`));
    throw errors.at(-1);
  };
  return { fn, calls, errors };
}

describe("retry()", () => {
  test("waits ever longer, by chance less, gives up in time, and throws the last error, at any order of wake-ups", async () => {
    const programs = fc.record({
      attempts: fc.integer({ min: 1, max: 6 }),
      failures: fc.nat({ max: 6 }),
      delay: fc.nat({ max: 50 }),
      factor: fc.constantFrom(1, 1.5, 2, 3),
      maxDelay: fc.nat({ max: 200 }),
      jitter: fc.constantFrom(0, 0.25, 1),
      chances: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 6, maxLength: 6 }),
      takes: fc.nat({ max: 5 }),
      deadline: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined }),
      mode: fc.constantFrom(...MODES),
      schedule: schedules(),
    });
    await fc.assert(
      fc.asyncProperty(
        programs,
        async ({ attempts, failures, delay, factor, maxDelay, jitter, chances, takes, deadline, mode, schedule }) => {
          const passing = new Passing(mode);
          const begins: number[] = [];
          const expectedBegins: number[] = [];
          let end: "success" | "failure" | "cut off" = "failure";
          let at = 0;
          const limit = deadline ?? Number.POSITIVE_INFINITY;
          let drawn = 0;
          for (let i = 1; ; i++) {
            expectedBegins.push(at);
            at += takes;
            if (takes > 0 && at >= limit) end = "cut off";
            else if (i > failures) end = "success";
            if (end !== "failure" || i === attempts) break;
            const full = Math.min(maxDelay, delay * factor ** (i - 1));
            const wait = full === 0 || jitter === 0 ? full : full * (1 - jitter * (chances[drawn++] as number));
            if (at + wait >= limit) break;
            at += wait;
          }
          let last: unknown;
          let draws = 0;
          await simulate(
            async (root) => {
              const scope = new CancelScope(deadline === undefined ? {} : { timeout: deadline });
              const random = () => chances[draws++] as number;
              let settled: unknown = "cut off";
              await scope.run(async () => {
                try {
                  settled = await retry(
                    async (own, attempt) => {
                      begins.push(virtualNow(own));
                      if (takes > 0) await sleep(takes, passing.at(own));
                      if (attempt > failures) return "success";
                      last = new Error(`${attempt}`);
                      throw last;
                    },
                    { attempts, delay, factor, maxDelay, jitter, random },
                    passing.at(scope),
                  );
                } catch (error) {
                  if (error !== last) throw error;
                  settled = "failure";
                }
              }, root);
              expect(settled).toBe(end);
              expect(begins).toEqual(expectedBegins);
              expect(draws).toBe(drawn);
            },
            { ambient: mode === "ambient", pick: pickOf(schedule) },
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("makes five attempts by default, after 1, 2, 4 and 8 s, all of it left to chance", async () => {
    await simulate(async () => {
      const { fn, calls, errors } = failing(9);
      expect(await rejectionOf(retry(fn, { random: () => 0 }))).toBe(errors[4]);
      expect(calls).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
      const half = failing(2);
      const start = now();
      await retry(half.fn, { random: () => 0.5 });
      expect(half.calls.map((at) => at - start)).toEqual([0, 500, 1_500]);
    });
  });

  test("waits 30 s at most by default, however often it has failed", async () => {
    await simulate(async () => {
      const { fn, calls } = failing(2_000);
      await retry(fn, { attempts: Number.POSITIVE_INFINITY, jitter: 0 });
      expect(calls.slice(5, 8).map((at, i) => at - (calls[i + 4] as number))).toEqual([16_000, 30_000, 30_000]);
      expect(calls.at(-1)).toBe(31_000 + 30_000 * (2_000 - 5));
    });
  });

  test("draws its own chance, if it is given none", async () => {
    await simulate(async () => {
      const { fn, calls } = failing(9);
      await retry(fn, { attempts: 10, delay: 1_000, factor: 1 });
      const waits = calls.slice(1).map((at, i) => at - (calls[i] as number));
      expect(waits.every((wait) => wait > 0 && wait <= 1_000)).toBe(true);
      expect(new Set(waits).size).toBeGreaterThan(1);
    });
  });

  test("takes a delay for each attempt as it is", async () => {
    await simulate(async () => {
      const { fn, calls, errors } = failing(3);
      const asked: unknown[] = [];
      const delay = (attempt: number, error: unknown) => {
        asked.push([attempt, error]);
        return attempt * 7;
      };
      expect(await retry(fn, { delay, random: () => 0.9 })).toBe("success");
      expect(calls).toEqual([0, 7, 21, 42]);
      expect(asked).toEqual([
        [1, errors[0]],
        [2, errors[1]],
        [3, errors[2]],
      ]);
    });
  });

  test("is over at once when a failure is not worth another attempt, and does not ask about the last one", async () => {
    await simulate(async () => {
      const { fn, calls, errors } = failing(9);
      const asked: unknown[] = [];
      const retryable = (error: unknown, attempt: number) => {
        asked.push([error, attempt]);
        return attempt < 2;
      };
      expect(await rejectionOf(retry(fn, { retryable }))).toBe(errors[1]);
      expect(asked).toEqual([
        [errors[0], 1],
        [errors[1], 2],
      ]);
      expect(calls.length).toBe(2);
      asked.length = 0;
      const other = failing(9);
      await rejectionOf(retry(other.fn, { attempts: 1, retryable }));
      expect(asked).toEqual([]);
    });
  });

  test("gives up before the deadline, with the error and the time that is left", async () => {
    await simulate(async () => {
      const { fn, calls, errors } = failing(9);
      const error = await rejectionOf(failAfter(1_000, () => retry(fn, { delay: 400, jitter: 0 })));
      expect(error).toBe(errors[1]);
      expect([calls, now()]).toEqual([[0, 400], 400]);
    });
  });

  test("an attempt that could only begin at the very deadline is not waited for", async () => {
    await simulate(async () => {
      const { fn, errors } = failing(9);
      expect(await rejectionOf(failAfter(400, () => retry(fn, { delay: 400, jitter: 0 })))).toBe(errors[0]);
      expect(now()).toBe(0);
    });
  });

  test("a deadline behind a shield does not count", async () => {
    await simulate(async () => {
      const { fn } = failing(1);
      await moveOnAfter(10, () => new CancelScope({ shield: true }).run(() => retry(fn, { delay: 400, jitter: 0 })));
      expect(now()).toBe(400);
    });
  });

  test("never retries a cancellation, not while it waits, nor in an attempt", async () => {
    await simulate(async (nursery) => {
      const waiting = failing(9);
      const first = new CancelScope();
      nursery.startSoon(async () => {
        await sleep(5);
        first.cancel();
      });
      await first.run(async () => {
        expect(await rejectionOf(retry(waiting.fn, { delay: 10, jitter: 0 }))).toBeInstanceOf(Cancelled);
      });
      expect(now()).toBe(5);
      expect(waiting.calls.length).toBe(1);
      let calls = 0;
      const second = new CancelScope({ timeout: 5 });
      await second.run(() =>
        retry((scope) => {
          calls++;
          return sleepForever(scope);
        }),
      );
      expect([calls, second.cancelledCaught]).toEqual([1, true]);
    });
  });

  test("a failure in a cancelled scope is thrown, and not retried", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const boom = new Error("boom");
      let asked = 0;
      const error = await rejectionOf(
        scope.run(() =>
          retry(
            () => {
              scope.cancel();
              throw boom;
            },
            { retryable: () => ++asked > 0 },
          ),
        ),
      );
      expect([error, asked]).toEqual([boom, 0]);
    });
  });

  test("an attempt that was cancelled by its own scope has no value, and is not retried", async () => {
    await simulate(async () => {
      let calls = 0;
      const error = await rejectionAs(
        TaskCancelledError,
        retry((scope) => {
          calls++;
          scope.cancel();
          return sleepForever(scope);
        }),
      );
      expect([calls, error.task, error.message]).toEqual([
        1,
        "root > retry > attempt#1",
        "root > retry > attempt#1 was cancelled by its own scope, so it has no result",
      ]);
    });
  });

  test("a timeout inside an attempt is a failure like any other", async () => {
    await simulate(async () => {
      const work = (_: CancelScope, attempt: number) => failAfter(10, async (scope) => (attempt < 3 ? sleepForever(scope) : "third"));
      expect(await retry(work, { delay: 100, factor: 1, jitter: 0 })).toBe("third");
      expect(now()).toBe(220);
      expect(await rejectionOf(retry(work, { attempts: 1 }))).toBeInstanceOf(TimeoutError);
    });
  });

  test("what an attempt leaves behind has ended before the next one begins", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await retry(
        async (scope, attempt) => {
          log.push(`begins ${attempt}`);
          scope.defer(async () => {
            await sleep(3);
            log.push(`cleans up ${attempt}`);
          });
          void sleep(1_000).catch(() => log.push(`stops ${attempt}`));
          if (attempt === 1) throw new Error("again");
        },
        { delay: 0 },
      );
      expect(log).toEqual(["begins 1", "stops 1", "cleans up 1", "begins 2", "stops 2", "cleans up 2"]);
    });
  });

  test("keeps the error when the question about it fails", async () => {
    await simulate(async () => {
      const { fn, errors } = failing(9);
      const wrong = new Error("wrong");
      const retryable = () => {
        throw wrong;
      };
      const group = await rejectionAs(ErrorGroup, retry(fn, { retryable }));
      expect(group.errors).toEqual([errors[0], wrong]);
      const same = failing(9);
      const rethrown = await rejectionOf(
        retry(same.fn, {
          retryable: (error) => {
            throw error;
          },
        }),
      );
      expect(rethrown).toBe(same.errors[0]);
    });
  });

  test("does not begin in a cancelled scope", async () => {
    await simulate(async () => {
      const { fn, calls } = failing(0);
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await rejectionOf(retry(fn))).toBe(scope.signal.reason);
      });
      expect(calls).toEqual([]);
    });
  });

  test("links to a foreign signal for all its attempts, and lets go of it", async () => {
    const controller = new AbortController();
    const boom = new Error("boom");
    await run(async () => {
      let calls = 0;
      const error = await rejectionOf(
        retry(
          async (scope) => {
            calls++;
            if (calls === 1) throw boom;
            controller.abort("enough");
            await sleepForever(scope);
          },
          { delay: 1, signal: controller.signal },
        ),
      );
      expect(calls).toBe(2);
      expect(error).toMatchObject({ kind: "signal", cause: "enough" });
    });
  });

  test.each<[RetryOptions, typeof RangeError | typeof TypeError, string]>([
    [{ attempts: 0 }, RangeError, "`attempts` of retry() is a whole number from 1, or Infinity, not 0"],
    [{ attempts: Number.NaN }, RangeError, "`attempts` of retry() is a whole number from 1, or Infinity, not NaN"],
    [{ delay: -1 }, RangeError, "the delay of retry() is a number of milliseconds that is not negative (Infinity for no limit), not -1"],
    [
      { maxDelay: Number.NaN },
      RangeError,
      "the maxDelay of retry() is a number of milliseconds that is not negative (Infinity for no limit), not NaN",
    ],
    [{ factor: 0.5 }, RangeError, "the factor of retry() is a number from 1, not 0.5"],
    [{ factor: Number.POSITIVE_INFINITY }, RangeError, "the factor of retry() is a number from 1, not Infinity"],
    [{ jitter: 1.1 }, RangeError, "the jitter of retry() is a number from 0 to 1, not 1.1"],
    [{ jitter: "full" as never }, TypeError, 'the jitter of retry() is a number, not "full"'],
    [{ delay: "1" as never }, TypeError, 'the delay of retry() is a number of milliseconds, not "1"'],
  ])("refuses %o", async (options, type, message) => {
    await simulate(async () => {
      const { fn, calls } = failing(0);
      const error = await rejectionAs(type, retry(fn, options));
      expect([error.message, calls]).toEqual([message, []]);
    });
  });

  test.each<[RetryOptions, string]>([
    [{ retryable: true as never }, "`retryable` of retry() takes a function, not true"],
    [{ random: 0.5 as never }, "the random of retry() takes a function, not 0.5"],
  ])("refuses %o, which is no function", async (options, message) => {
    await simulate(async () => {
      expect(await rejectionOf(retry(() => 1, options))).toMatchObject({ name: "UsageError", message });
    });
  });

  test("refuses a promise in place of the function", async () => {
    await simulate(async () => {
      expect(await rejectionOf(retry(Promise.resolve(1) as never))).toMatchObject({
        message:
          "retry() takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()",
      });
    });
  });

  test("what an attempt brings is disposed if a cleanup of it fails, because that makes it a failure", async () => {
    await simulate(async () => {
      const brought: Resource[] = [];
      const fn = (scope: CancelScope, attempt: number) => {
        const resource = new Resource(attempt, false);
        brought.push(resource);
        scope.defer(() => expect(resource.disposals).toBe(0));
        scope.defer(() => {
          if (attempt === 1) throw new Error("cleanup");
        });
        return resource;
      };
      expect(await retry(fn)).toBe(brought[1]);
      expect(brought.map(({ disposals }) => disposals)).toEqual([1, 0]);
    });
  });

  test("refuses an answer that is a promise, which would always be a yes", async () => {
    await simulate(async () => {
      const { fn, errors } = failing(9);
      const group = await rejectionAs(ErrorGroup, retry(fn, { retryable: (async () => false) as never }));
      expect(group.errors).toEqual([errors[0], new UsageError("`retryable` of retry() returns true or false, at once, not a Promise")]);
    });
  });

  test("in simulated time draws the same chance in each run", async () => {
    const timesOf = () =>
      simulate(async () => {
        const { fn, calls } = failing(4);
        await retry(fn);
        return calls.map(String);
      });
    const times = await timesOf();
    expect(new Set(times).size).toBe(5);
    expect(await timesOf()).toEqual(times);
  });

  test("tells what is wrong with a delay or a chance together with the error", async () => {
    await simulate(async () => {
      const { fn, errors } = failing(9);
      const group = await rejectionAs(ErrorGroup, retry(fn, { delay: () => -1 }));
      expect(group.errors).toEqual([
        errors[0],
        new RangeError(
          "what the delay of retry() returns is a number of milliseconds that is not negative (Infinity for no limit), not -1",
        ),
      ]);
      const other = await rejectionAs(ErrorGroup, retry(failing(9).fn, { random: () => 2 }));
      expect(other.errors[1]).toEqual(new RangeError("what the random of retry() returns is a number from 0 to 1, not 2"));
    });
  });

  test("a delay that never ends is no delay to wait for", async () => {
    await simulate(async () => {
      const { fn, errors } = failing(9);
      expect(await rejectionOf(retry(fn, { delay: () => Number.POSITIVE_INFINITY }))).toBe(errors[0]);
    });
  });
});
