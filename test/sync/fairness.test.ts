import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, now, sleep, sleepForever, WouldBlock } from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { contend, contenders, kinds } from "./support.js";

const picks = fc.option(fc.infiniteStream(fc.nat()), { nil: undefined });

for (const { name, make, held, most } of kinds) {
  describe(name, () => {
    const programs = fc.tuple(contenders, fc.integer({ min: 1, max: most }), picks);

    test("FA1, FA2, FA3, FA5: first come, first served, never more than may, whoever is cancelled when, at any order of wake-ups", async () => {
      await fc.assert(
        fc.asyncProperty(programs, async ([program, n, stream]) => {
          const one = make(n);
          await contend(one, n, program, stream && ((ready) => (stream.next().value as number) % ready));
          expect([held(one, n), one.statistics().tasksWaiting]).toEqual([0, 0]);
        }),
        { numRuns: 300 },
      );
    });

    test("FA1: contenders repeat in their first order", async () => {
      const log: number[] = [];
      await simulate((nursery) => {
        const one = make(1);
        for (let who = 0; who < 4; who++) {
          nursery.startSoon(async () => {
            for (let i = 0; i < 3; i++) {
              await one.acquire();
              log.push(who);
              await checkpoint();
              one.release();
            }
          });
        }
      });
      expect(log).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    });

    test("FA3: no barging: what is released belongs to the longest waiting at once", async () => {
      await simulate(async (nursery) => {
        const one = make(1);
        await one.acquire();
        let hasIt = false;
        nursery.startSoon(async () => {
          await one.acquire();
          hasIt = true;
          one.release();
        });
        await sleep(1);
        one.release();
        expect([held(one, 1), one.statistics().tasksWaiting, hasIt]).toEqual([1, 0, false]);
        expect(thrownBy(() => one.acquireNowait())).toBeInstanceOf(WouldBlock);
        await one.acquire();
        expect(hasIt).toBe(true);
        one.release();
      });
    });

    test("FA5: a waiter that is cancelled leaves the queue, and the others keep their order", async () => {
      const log: number[] = [];
      await simulate(async (nursery) => {
        const one = make(1);
        await one.acquire();
        const scopes = [0, 1, 2, 3].map(() => new CancelScope());
        scopes.forEach((scope, who) => {
          nursery.startSoon(() =>
            scope.run(async () => {
              await one.acquire();
              log.push(who);
              one.release();
            }),
          );
        });
        await sleep(1);
        scopes[0]?.cancel();
        scopes[2]?.cancel();
        expect(one.statistics().tasksWaiting).toBe(2);
        one.release();
      });
      expect(log).toEqual([1, 3]);
    });

    test("CL3: a cancelled acquire() leaves no trace", async () => {
      await simulate(async () => {
        const one = make(1);
        await one.run(() => {});
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.cancel();
          await one.acquire();
        });
        expect([held(one, 1), one.statistics().tasksWaiting]).toEqual([0, 0]);
        one.acquireNowait();
        one.release();
      });
    });

    test("R6: handed over and cancelled in one step, the new owner has it, and gives it back", async () => {
      await simulate(async (nursery) => {
        const one = make(1);
        await one.acquire();
        const log: string[] = [];
        const scope = new CancelScope();
        nursery.startSoon(() =>
          scope.run(async () => {
            await one.run(async () => {
              log.push("has it");
              await checkpoint();
            });
          }),
        );
        await sleep(1);
        one.release();
        scope.cancel();
        await sleep(1);
        expect(log).toEqual(["has it"]);
        expect(held(one, 1)).toBe(0);
      });
    });

    describe("run()", () => {
      test("resolves to the body's value, and gives back, also if the body throws", async () => {
        await simulate(async () => {
          const one = make(1);
          expect(await one.run(async () => "value")).toBe("value");
          expect(await one.run(() => 1)).toBe(1);
          const boom = new Error("boom");
          expect(await rejectionOf(one.run(() => Promise.reject(boom)))).toBe(boom);
          expect(
            await rejectionOf(
              one.run(() => {
                throw boom;
              }),
            ),
          ).toBe(boom);
          expect(held(one, 1)).toBe(0);
        });
      });

      test("gives back when it is cancelled", async () => {
        await simulate(async () => {
          const one = make(1);
          await moveOnAfter(5, () => one.run(() => sleepForever()));
          expect([held(one, 1), now()]).toEqual([0, 5]);
        });
      });

      test("does not begin its body, and gives nothing back, when the acquire is cancelled", async () => {
        await simulate(async (nursery) => {
          const one = make(1);
          nursery.startSoon(() => one.run(() => sleep(10)));
          await checkpoint();
          let begun = false;
          const body = () => {
            begun = true;
          };
          await moveOnAfter(5, () => one.run(body));
          expect([begun, held(one, 1), one.statistics().tasksWaiting]).toEqual([false, 1, 0]);
        });
      });

      test("of a body that is no function takes nothing", async () => {
        await simulate(async () => {
          const one = make(1);
          expect(await rejectionOf(one.run(1 as never))).toMatchObject({ message: "run() takes a function, not 1" });
          expect(held(one, 1)).toBe(0);
        });
      });

      test("waits in the scope that it is passed", async () => {
        await simulate(async (nursery) => {
          const one = make(1);
          nursery.startSoon(() => one.run(() => sleep(10)));
          await checkpoint();
          await new CancelScope().run(async (outer) => {
            await new CancelScope({ shield: true }).run(async () => {
              const waiting = one.run(() => {}, outer);
              outer.cancel();
              expect(await rejectionOf(waiting)).toBe(outer.signal.reason);
            });
          });
        });
      });
    });
  });
}
