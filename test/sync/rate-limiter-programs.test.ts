import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, checkpoint, now, RateLimiter, sleep, WouldBlock } from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** One task of a random program: it asks for tokens again and again. */
interface Customer {
  readonly arrives: number;
  readonly wants: readonly number[];
  readonly pauses: number;
  /** Between two milliseconds, so that it is never a matter of opinion whether the tokens or the cancellation came first. */
  readonly cancelledAt: number;
  readonly how: "acquire" | "nowait";
}

const customers: fc.Arbitrary<Customer[]> = fc.array(
  fc.record({
    arrives: fc.nat({ max: 10 }),
    wants: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 }),
    pauses: fc.nat({ max: 6 }),
    cancelledAt: fc.oneof(
      fc.nat({ max: 60 }).map((ms) => ms + 0.5),
      fc.constant(1e6),
    ),
    how: fc.constantFrom("acquire", "acquire", "acquire", "nowait"),
  }),
  { minLength: 1, maxLength: 8 },
);

/** The bucket as one would explain it: it fills with time, and is served from the head of a line. A token takes `unit` ms. */
class Referee {
  readonly #unit: number;
  readonly #burst: number;
  /** In ms of filling, at the instant `#at`. */
  #level: number;
  #at = 0;
  readonly #line: { readonly who: number; readonly n: number }[] = [];
  readonly #servedAt = new Map<number, number>();

  constructor(unit: number, burst: number) {
    this.#unit = unit;
    this.#burst = burst;
    this.#level = unit * burst;
  }

  get waiting(): number {
    return this.#line.length;
  }

  get available(): number {
    return Math.floor(this.#level / this.#unit);
  }

  /** Serves whoever is due before `instant`, or at it. */
  passes(instant: number, isIncluded: boolean): void {
    for (let next = this.#line[0]; next !== undefined; next = this.#line[0]) {
      const due = this.#at + Math.max(0, next.n * this.#unit - this.#level);
      if (due > instant || (due === instant && !isIncluded)) break;
      this.#fill(due);
      this.#line.shift();
      this.#level -= next.n * this.#unit;
      this.#servedAt.set(next.who, due);
    }
    this.#fill(instant);
  }

  asks(who: number, n: number): void {
    this.#line.push({ who, n });
  }

  /** Whether `n` could be taken at once, and takes them. */
  takes(n: number): boolean {
    if (this.#line.length > 0 || this.#level < n * this.#unit) return false;
    this.#level -= n * this.#unit;
    return true;
  }

  isCancelled(who: number): void {
    const place = this.#line.findIndex((each) => each.who === who);
    if (place >= 0) this.#line.splice(place, 1);
  }

  /** When it was served, once. */
  served(who: number): number | undefined {
    const at = this.#servedAt.get(who);
    this.#servedAt.delete(who);
    return at;
  }

  #fill(instant: number): void {
    this.#level = Math.min(this.#unit * this.#burst, this.#level + instant - this.#at);
    this.#at = instant;
  }
}

test("FA1, FA3, FA5, CL3, R6, R11: whoever asks for how many and is cancelled when, at any order of wake-ups", async () => {
  const seen = { served: 0, waited: 0, cancelled: 0 };
  const rates = fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    unit: fc.integer({ min: 1, max: 5 }),
    burst: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(customers, rates, schedules(), async (program, { limit, unit, burst }, schedule) => {
      const limiter = new RateLimiter({ limit, interval: limit * unit, burst });
      const referee = new Referee(unit, burst);
      await simulate(
        (nursery) => {
          for (const [who, { arrives, wants, pauses, cancelledAt, how }] of program.entries()) {
            const scope = new CancelScope({ timeout: cancelledAt });
            scope.signal.addEventListener("abort", () => {
              referee.passes(now(scope), false);
              referee.isCancelled(who);
            });
            const once = async (n: number) => {
              scope.throwIfCancelled();
              referee.passes(now(), true);
              expect(limiter.statistics()).toEqual({ available: referee.available, tasksWaiting: referee.waiting });
              if (how === "nowait") {
                if (referee.takes(n)) limiter.acquireNowait(n);
                else expect(thrownBy(() => limiter.acquireNowait(n))).toBeInstanceOf(WouldBlock);
                return;
              }
              const asked = now();
              referee.asks(who, n);
              referee.passes(asked, true);
              try {
                await limiter.acquire(n);
              } catch (error) {
                seen.cancelled++;
                expect(referee.served(who)).toBe(undefined);
                throw error;
              }
              referee.passes(now(), true);
              expect(referee.served(who)).toBe(now());
              seen.served++;
              if (now() > asked) seen.waited++;
            };
            nursery.startSoon(() =>
              scope.run(async () => {
                await sleep(arrives);
                for (const wanted of wants) {
                  await once(Math.min(wanted, burst));
                  await (pauses === 0 ? checkpoint() : sleep(pauses));
                }
              }),
            );
          }
        },
        { pick: pickOf(schedule) },
      );
      expect([limiter.statistics().tasksWaiting, referee.waiting]).toEqual([0, 0]);
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(seen.served, seen.waited, seen.cancelled)).toBeGreaterThan(100);
});
