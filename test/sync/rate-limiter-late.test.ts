import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, type Nursery, now, RateLimiter, run } from "../../src/index.js";
import { ManualRuntime } from "./manual-runtime.js";
import { asking } from "./rate-limiter-support.js";

/** Runs `body` in a time that passes as it says, and of which timers hear late. */
function lately(body: (runtime: ManualRuntime, nursery: Nursery) => Promise<void>): Promise<void> {
  const runtime = new ManualRuntime();
  return run((nursery) => body(runtime, nursery), { runtime });
}

test("who leaves the head of the line while a timer is late leaves a bucket that is full, and not more", async () => {
  const log: unknown[] = [];
  await lately(async (runtime, nursery) => {
    const limiter = new RateLimiter({ limit: 1, interval: 10, burst: 3 });
    await limiter.acquire(3);
    const [first] = asking(nursery, limiter, { first: 3, second: 1, third: 3 }, log);
    await runtime.pass(0);
    // It was full at 30, and what came since then is lost, because nobody has taken anything.
    runtime.lag(45);
    first?.cancel();
    await runtime.pass(0);
    expect([limiter.available, log]).toEqual([2, [["second", 45]]]);
    await runtime.pass(9);
    await runtime.pass(1);
  });
  expect(log).toEqual([
    ["second", 45],
    ["third", 55],
  ]);
});

type Step = { readonly ms: number } | { readonly late: number } | { readonly ask: number } | { readonly cancel: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ ms: fc.nat({ max: 10 }) }),
    fc.record({ late: fc.integer({ min: 1, max: 40 }) }),
    { weight: 3, arbitrary: fc.record({ ask: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat({ max: 2 }) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

/** The bucket as one would explain it. It serves when a timer says so, as of the instant when that was due. */
class Bucket {
  readonly served: [who: number, at: number][] = [];
  readonly #unit: number;
  readonly #burst: number;
  /** In ms of filling, at the instant `#at`. */
  #level: number;
  #at = 0;
  #line: { readonly who: number; readonly n: number }[] = [];

  constructor(unit: number, burst: number) {
    this.#unit = unit;
    this.#burst = burst;
    this.#level = unit * burst;
  }

  get line(): readonly { readonly who: number }[] {
    return this.#line;
  }

  asks(who: number, n: number, instant: number): void {
    this.hears(instant);
    this.#line.push({ who, n });
    this.hears(instant);
  }

  hears(instant: number): void {
    for (let next = this.#line[0]; next !== undefined; next = this.#line[0]) {
      const due = this.#at + Math.max(0, next.n * this.#unit - this.#level);
      if (due > instant) break;
      this.#fill(due);
      this.#level -= next.n * this.#unit;
      this.#line.shift();
      this.served.push([next.who, instant]);
    }
    if (this.#line.length === 0) this.#fill(instant);
  }

  /** Whoever is behind is not served as of an instant at which another one was the first. */
  leaves(who: number, instant: number): void {
    if (this.#line[0]?.who === who) this.#fill(instant);
    this.#line = this.#line.filter((each) => each.who !== who);
  }

  #fill(instant: number): void {
    this.#level = Math.min(this.#unit * this.#burst, this.#level + instant - this.#at);
    this.#at = instant;
  }
}

test("FA1, R6: whoever comes, waits and leaves while timers are late, each is served when there is enough, in order, and not before", async () => {
  let late = 0;
  const rates = fc.record({ unit: fc.integer({ min: 1, max: 10 }), burst: fc.integer({ min: 1, max: 4 }) });
  await fc.assert(
    fc.asyncProperty(steps, rates, async (program, { unit, burst }) => {
      await lately(async (runtime) => {
        const limiter = new RateLimiter({ limit: 1, interval: unit, burst });
        const bucket = new Bucket(unit, burst);
        const served: [number, number][] = [];
        const scopes: CancelScope[] = [];
        const ends: Promise<unknown>[] = [];
        for (const step of program) {
          if ("late" in step) runtime.lag(step.late);
          else if ("ms" in step) {
            runtime.lag(step.ms);
            bucket.hears(runtime.now());
          } else if ("ask" in step) {
            const scope = new CancelScope();
            const [who, n] = [scopes.push(scope) - 1, Math.min(step.ask, burst)];
            bucket.asks(who, n, runtime.now());
            ends.push(scope.run(() => limiter.acquire(n).then(() => served.push([who, now()]))));
          } else {
            const who = bucket.line[step.cancel]?.who;
            if (who === undefined) continue;
            if (who === bucket.line[0]?.who) late++;
            bucket.leaves(who, runtime.now());
            scopes[who]?.cancel();
          }
          // Only what has been heard of is served.
          if ("ms" in step) await runtime.pass(0);
          else await new Promise((resolve) => setImmediate(resolve));
          expect(served).toEqual(bucket.served);
        }
        for (const scope of scopes) scope.cancel();
        await Promise.all(ends);
      });
    }),
    { numRuns: 500 },
  );
  expect(late).toBeGreaterThan(100);
});
