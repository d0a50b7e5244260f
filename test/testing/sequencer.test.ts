import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenResourceError, Event, moveOnAfter, now, openNursery, run, sleep, UsageError } from "../../src/index.js";
import { explore, Sequencer, simulate } from "../../src/testing/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";

describe("a Sequencer", () => {
  test("lets places be entered in their order, each when the one before was left, whatever the schedule and whoever comes first", async () => {
    const orders = fc.uniqueArray(fc.nat(4), { minLength: 5, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        await explore(
          async (sim) => {
            const log: string[] = [];
            await openNursery((nursery) => {
              for (const n of order) {
                nursery.startSoon(async () => {
                  const place = await sim.sequence(n);
                  log.push(`in ${n}`);
                  await sleep(1);
                  log.push(`out ${n}`);
                  await place[Symbol.asyncDispose]();
                });
              }
            });
            expect(log).toEqual([0, 1, 2, 3, 4].flatMap((n) => [`in ${n}`, `out ${n}`]));
          },
          { schedules: 20, checkDeterminism: false },
        );
      }),
      { numRuns: 10 },
    );
  });

  test("runs a body in a place, which is left also if that fails; in real time as well", async () => {
    await run(async (nursery) => {
      const seq = new Sequencer();
      const log: string[] = [];
      nursery.startSoon(() => seq.run(1, () => log.push("one")));
      expect(await rejectionOf(seq.run(0, () => Promise.reject(new Error("zero"))))).toMatchObject({ message: "zero" });
      await seq.run(2, () => log.push("two"));
      expect(log).toEqual(["one", "two"]);
    });
  });

  test("is broken if a wait for a place is cancelled: nobody waits for ever for what comes after it", async () => {
    await simulate(async (sim) => {
      const seq = new Sequencer();
      const later = sim.root.startSoon(() => rejectionOf(seq.at(2)));
      await moveOnAfter(5, () => seq.at(1));
      expect(await later.join()).toBeInstanceOf(BrokenResourceError);
      const broken = await rejectionAs(BrokenResourceError, seq.at(3));
      expect(broken.message).toBe("the sequence is broken: the wait for one of its places was cancelled");
      expect(now()).toBe(5);
    });
  });

  test("refuses what is no place, and a place that was asked for before", async () => {
    await simulate(async () => {
      const seq = new Sequencer();
      for (const n of [-1, 0.5, Number.NaN]) {
        expect(await rejectionOf(seq.at(n))).toEqual(new RangeError(`a place in a sequence is an integer from 0, not ${n}`));
      }
      await seq.at(0);
      expect((await rejectionAs(UsageError, seq.at(0))).message).toBe("place 0 of the sequence was asked for before: each is entered once");
    });
  });
});

describe("sim.idle()", () => {
  test("is over when every other task waits, whatever the schedule, and no time has passed", async () => {
    await explore(
      async (sim) => {
        const event = new Event();
        let waiting = 0;
        for (let i = 0; i < 3; i++) {
          sim.root.startSoon(async () => {
            await sleep(0);
            waiting++;
            await event.wait();
          });
        }
        const slow = sim.root.startSoon(() => sleep(1000));
        await sim.idle();
        expect([waiting, sim.now(), slow.state]).toEqual([3, 0, "running"]);
        event.set();
      },
      { timeRaces: false, schedules: 60 },
    );
  });

  test("can be cancelled, as any wait", async () => {
    await simulate(async (sim) => {
      sim.root.startSoon(async () => {
        for (let i = 0; i < 3; i++) await sleep(0);
        sim.root.cancel();
      });
      expect(await rejectionOf(sim.idle())).toMatchObject({ name: "AbortError" });
    });
  });
});
