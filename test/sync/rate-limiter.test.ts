import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, now, RateLimiter, type RateLimiterOptions, run, shield, sleep, sleepUntil, WouldBlock } from "../../src/index.js";
import { reasonOf, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const tooFew = new WouldBlock("there are too few tokens in the rate limiter, or others wait for them");

/** The number so many places above `x`, below it if negative, among those that there are. */
function neighbour(x: number, places: number): number {
  const bits = new BigInt64Array(Float64Array.of(x).buffer);
  bits[0] = (bits[0] as bigint) + BigInt(places);
  return new Float64Array(bits.buffer)[0] as number;
}

describe("the options of a rate limiter", () => {
  test("are kept; the burst is the limit, if nothing else is said", () => {
    expect(new RateLimiter({ limit: 3, interval: 500 })).toMatchObject({ limit: 3, interval: 500, burst: 3, available: 3 });
    expect(new RateLimiter({ limit: 3, interval: 0.5, burst: 7 })).toMatchObject({ limit: 3, interval: 0.5, burst: 7, available: 7 });
    expect(new RateLimiter({ limit: 3, interval: 1, burst: undefined }).burst).toBe(3);
  });

  const whole = "of a rate limiter is a whole number";
  const wrong: [options: Record<string, unknown>, error: Error][] = [
    [{ limit: 0 }, new RangeError("`limit` of a rate limiter is at least 1")],
    [{ limit: 1.5 }, new RangeError(`\`limit\` ${whole} that is not negative, not 1.5`)],
    [{ limit: Number.POSITIVE_INFINITY }, new RangeError(`\`limit\` ${whole} that is not negative, not Infinity`)],
    [{ limit: "3" }, new TypeError(`\`limit\` ${whole}, not "3"`)],
    [{ limit: undefined }, new TypeError(`\`limit\` ${whole}, not undefined`)],
    [{ burst: 0 }, new RangeError("`burst` of a rate limiter is at least 1")],
    [{ burst: -1 }, new RangeError(`\`burst\` ${whole} that is not negative, not -1`)],
    [{ burst: null }, new TypeError(`\`burst\` ${whole}, not null`)],
    [{ interval: 0 }, new RangeError("`interval` of a rate limiter is above 0 and finite, not 0")],
    [{ interval: Number.POSITIVE_INFINITY }, new RangeError("`interval` of a rate limiter is above 0 and finite, not Infinity")],
    [
      { interval: -1 },
      new RangeError("`interval` of a rate limiter is a number of milliseconds that is not negative (Infinity for no limit), not -1"),
    ],
    [{ interval: "1s" }, new TypeError('`interval` of a rate limiter is a number of milliseconds, not "1s"')],
  ];
  for (const [options, error] of wrong) {
    const [[name, value] = []] = Object.entries(options);
    test(`are checked: ${name} ${typeof value} ${String(value)}`, () => {
      const all = { limit: 1, interval: 1, ...options } as RateLimiterOptions;
      expect(thrownBy(() => new RateLimiter(all))).toEqual(error);
    });
  }
});

describe("tokens", () => {
  test("are there at first, as many as the burst; then they come one by one", async () => {
    const log: unknown[] = [];
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 4, interval: 1_000, burst: 2 });
      await sleep(7);
      for (let i = 0; i < 6; i++) {
        await limiter.acquire();
        log.push(now());
      }
    });
    expect(log).toEqual([7, 7, 257, 507, 757, 1_007]);
  });

  test("are kept up to the burst, and no further", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 3 });
      const available: number[] = [];
      limiter.acquireNowait(3);
      for (const ms of [0, 9, 1, 10, 5, 5, 100]) {
        await sleep(ms);
        available.push(limiter.available);
      }
      expect(available).toEqual([0, 0, 1, 2, 2, 3, 3]);
      limiter.acquireNowait(2);
      await sleep(9);
      limiter.acquireNowait(1);
      expect(thrownBy(() => limiter.acquireNowait())).toEqual(tooFew);
      await sleep(1);
      limiter.acquireNowait();
    });
  });

  test("come at exact instants, of which no error of rounding makes more or less", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 3, interval: 1_000, burst: 1 });
      for (let i = 0; i <= 3_000; i++) {
        await limiter.acquire();
        expect(now()).toBe((i * 1_000) / 3);
        expect(limiter.available).toBe(0);
      }
      expect(now()).toBe(1_000_000);
    });
  });

  test("also where each is taken at its very instant, without a wait", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 3, interval: 1_000, burst: 1 });
      for (let i = 0; i <= 300; i++) {
        await sleepUntil((i * 1_000) / 3);
        limiter.acquireNowait();
      }
    });
  });

  test("are told as they are taken also next to the instants at which they come, as near as numbers can be", async () => {
    const rates = fc.record({ limit: fc.integer({ min: 1, max: 7 }), interval: fc.constantFrom(0.1, 1, 7, 10, 1_000, 1_000 / 3) });
    await fc.assert(
      fc.asyncProperty(rates, fc.integer({ min: 1, max: 50 }), fc.constantFrom(-1, 0, 1), async ({ limit, interval }, n, beside) => {
        await simulate(async () => {
          const limiter = new RateLimiter({ limit, interval, burst: 50 });
          limiter.acquireNowait(50);
          await sleepUntil(neighbour((n * interval) / limit, beside));
          expect(limiter.available).toBe(beside < 0 ? n - 1 : n);
          if (n < 50) expect(thrownBy(() => limiter.acquireNowait(limiter.available + 1))).toEqual(tooFew);
          limiter.acquireNowait(limiter.available);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test("are told as they are taken: `available` and acquireNowait() agree at every instant", async () => {
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 7 }),
      interval: fc.constantFrom(1, 3, 10, 0.1, 1_000 / 3),
      burst: fc.integer({ min: 1, max: 5 }),
    });
    const steps = fc.array(fc.record({ ms: fc.constantFrom(0, 0.1, 0.3, 1, 2.5, 1 / 3, 10), n: fc.nat({ max: 5 }) }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(options, steps, async (rate, program) => {
        await simulate(async () => {
          const limiter = new RateLimiter(rate);
          limiter.acquireNowait(rate.burst);
          for (const { ms, n } of program) {
            await sleep(ms);
            const { available } = limiter.statistics();
            expect(available).toBeLessThanOrEqual(rate.burst);
            if (available < rate.burst) expect(thrownBy(() => limiter.acquireNowait(available + 1))).toEqual(tooFew);
            const taken = Math.min(n, available);
            limiter.acquireNowait(taken);
            expect(limiter.available).toBe(available - taken);
          }
        });
      }),
    );
  });

  test("are in any interval at most burst + limit - 1", async () => {
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 6 }),
      unit: fc.integer({ min: 1, max: 5 }),
      burst: fc.integer({ min: 1, max: 6 }),
    });
    const requests = fc.array(fc.record({ pause: fc.nat({ max: 40 }), n: fc.nat({ max: 6 }) }), { minLength: 5, maxLength: 40 });
    let full = 0;
    await fc.assert(
      fc.asyncProperty(options, requests, async ({ limit, unit, burst }, program) => {
        const interval = limit * unit;
        const taken: number[] = [];
        await simulate(async () => {
          const limiter = new RateLimiter({ limit, interval, burst });
          for (const { pause, n: wanted } of program) {
            const n = Math.min(wanted, burst);
            await sleep(pause > 20 ? 0 : pause);
            await limiter.acquire(n);
            for (let i = 0; i < n; i++) taken.push(now());
          }
        });
        for (const from of taken) {
          const inWindow = taken.filter((at) => at >= from && at < from + interval).length;
          expect(inWindow).toBeLessThanOrEqual(burst + limit - 1);
          if (inWindow === burst + limit - 1) full++;
        }
      }),
      { numRuns: 200 },
    );
    expect(full).toBeGreaterThan(100);
  });
});

describe("acquire()", () => {
  test("takes one, or as many as it says, in the scope that it is passed or the ambient one", async () => {
    await run(
      async (root) => {
        const limiter = new RateLimiter({ limit: 1, interval: 1e9, burst: 10 });
        await limiter.acquire(root);
        await limiter.acquire({ signal: root.signal });
        await limiter.acquire(undefined, root);
        await limiter.acquire(2, root);
        expect(limiter.available).toBe(5);
        limiter.acquireNowait(root);
        limiter.acquireNowait(undefined, root);
        limiter.acquireNowait(2, { signal: root.signal });
        expect(limiter.available).toBe(1);
      },
      { ambient: false },
    );
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 1, interval: 1, burst: 10 });
      await limiter.acquire();
      await limiter.acquire(2);
      limiter.acquireNowait();
      limiter.acquireNowait(2);
      await limiter.acquire(0);
      expect(limiter.available).toBe(4);
    });
  });

  test("waits in the scope that it is passed", async () => {
    await simulate(async () => {
      const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 1 });
      await limiter.acquire();
      await new CancelScope().run(async (outer) => {
        await shield(async () => {
          const waiting = limiter.acquire(outer);
          outer.cancel();
          expect(await rejectionOf(waiting)).toBe(reasonOf(outer));
        });
      });
    });
  });

  test("R5: is a checkpoint also where it need not wait", async () => {
    for (const runtime of [simulate, run]) {
      await runtime(async (nursery) => {
        const log: string[] = [];
        nursery.startSoon(() => log.push("other"));
        await new RateLimiter({ limit: 1, interval: 10 }).acquire();
        expect(log).toEqual(["other"]);
      });
    }
  });

  const wrong: [n: unknown, error: Error][] = [
    [4, new RangeError("4 tokens are never there at once: the `burst` of the rate limiter is 3. Ask for fewer at a time")],
    [-1, new RangeError("the number of tokens to acquire is a whole number that is not negative, not -1")],
    [0.5, new RangeError("the number of tokens to acquire is a whole number that is not negative, not 0.5")],
    [Number.POSITIVE_INFINITY, new RangeError("the number of tokens to acquire is a whole number that is not negative, not Infinity")],
    ["2", new TypeError('the number of tokens to acquire is a whole number, not "2"')],
  ];
  for (const [n, error] of wrong) {
    test(`of a wrong number is an error, and takes nothing: ${typeof n} ${String(n)}`, async () => {
      await simulate(async () => {
        const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 3 });
        expect(await rejectionOf(limiter.acquire(n as number))).toEqual(error);
        expect(thrownBy(() => limiter.acquireNowait(n as number))).toEqual(error);
        expect(limiter.statistics()).toEqual({ available: 3, tasksWaiting: 0 });
      });
    });
  }
});
