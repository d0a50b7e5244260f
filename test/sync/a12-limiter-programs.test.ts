import fc from "fast-check";
import { expect, test } from "vitest";
import { type BorrowedToken, type Cancellable, CancelScope, CapacityLimiter, checkpoint, sleep } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

class Connection {}

/** One actor of a random program. */
interface Actor {
  readonly as: "task" | "object" | "token";
  readonly arrives: number;
  readonly holds: number;
  readonly rounds: number;
  readonly cancelledAt: number;
  /** Where somebody else gives it back, not under its cancellation. */
  readonly isHandedOver: boolean;
}

const actors: fc.Arbitrary<Actor[]> = fc.array(
  fc.record({
    as: fc.constantFrom("task", "object", "token"),
    arrives: fc.nat({ max: 5 }),
    holds: fc.nat({ max: 4 }),
    rounds: fc.integer({ min: 1, max: 3 }),
    cancelledAt: fc.oneof(fc.nat({ max: 15 }), fc.constant(80)),
    isHandedOver: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

class Referee {
  total: number;
  readonly line: number[] = [];
  readonly has = new Set<number>();

  constructor(total: number) {
    this.total = total;
  }

  asks(who: number): void {
    this.line.push(who);
    this.admits();
  }

  givesBack(who: number): void {
    expect(this.has.delete(who)).toBe(true);
    this.admits();
  }

  isCancelled(who: number): void {
    const place = this.line.indexOf(who);
    if (place >= 0) this.line.splice(place, 1);
  }

  admits(): void {
    while (this.line.length > 0 && this.has.size < this.total) this.has.add(this.line.shift() as number);
  }
}

test("CL1, CL2, CL3, FA1, FA3, FA5, R6, R11: whoever borrows for whom, is cancelled when and moves the total, at any order of wake-ups", async () => {
  const moves = fc.array(fc.record({ at: fc.nat({ max: 20 }), to: fc.constantFrom(0, 1, 2, 3, Number.POSITIVE_INFINITY) }), {
    maxLength: 4,
  });
  const seen = { borrowed: 0, cancelled: 0 };
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 3 }), actors, moves, schedules(), async (total, program, changes, schedule) => {
      const limiter = new CapacityLimiter(total);
      const referee = new Referee(total);
      const check = () => {
        expect([limiter.borrowed, limiter.statistics().tasksWaiting]).toEqual([referee.has.size, referee.line.length]);
        if (referee.line.length > 0) expect(limiter.available).toBeLessThan(1);
      };

      /** Borrows in one of the ways, and returns how to give back. */
      const borrowed = async (as: Actor["as"], scope: Cancellable): Promise<() => void> => {
        if (as === "task") {
          await limiter.acquire();
          return () => limiter.release();
        }
        if (as === "token") {
          const token: BorrowedToken = await limiter.borrow(scope);
          return () => token.release();
        }
        const borrower = new Connection();
        await limiter.acquireOnBehalfOf(borrower);
        return () => limiter.releaseOnBehalfOf(borrower);
      };

      await simulate(
        (nursery) => {
          for (const { at, to } of changes) {
            nursery.startSoon(async () => {
              await sleep(at);
              referee.total = to;
              referee.admits();
              limiter.total = to;
              check();
            });
          }
          for (const [who, { as, arrives, holds, rounds, cancelledAt, isHandedOver }] of program.entries()) {
            const scope = new CancelScope({ timeout: cancelledAt });
            scope.signal.addEventListener("abort", () => referee.isCancelled(who));
            const round = async () => {
              check();
              scope.throwIfCancelled();
              referee.asks(who);
              let giveBack: () => void;
              try {
                giveBack = await borrowed(as, scope);
              } catch (error) {
                expect(referee.has.has(who)).toBe(false);
                seen.cancelled++;
                throw error;
              }
              expect(referee.has.has(who)).toBe(true);
              seen.borrowed++;
              const hold = async () => {
                try {
                  await (holds === 0 ? checkpoint() : sleep(holds));
                } finally {
                  referee.givesBack(who);
                  giveBack();
                  check();
                }
              };
              if (isHandedOver && as !== "task") await nursery.startSoon(hold).join();
              else await hold();
            };
            nursery.startSoon(() =>
              scope.run(async () => {
                await sleep(arrives);
                for (let i = 0; i < rounds; i++) await round();
              }),
            );
          }
        },
        { pick: pickOf(schedule) },
      );
      check();
      expect([limiter.borrowed, limiter.statistics().tasksWaiting]).toEqual([0, 0]);
    }),
    { numRuns: 700 },
  );
  expect(Math.min(seen.borrowed, seen.cancelled)).toBeGreaterThan(100);
});
