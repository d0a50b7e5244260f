import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Barrier, CancelScope, checkpoint, DeadlockError, moveOnAfter, now, openNursery, run, sleep } from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

describe("the number of parties is whole, and at least 1:", () => {
  const what = "the number of parties of a barrier is a whole number";
  const wrong: [parties: unknown, error: Error][] = [
    [0, new RangeError("a barrier has at least 1 party")],
    [-1, new RangeError(`${what} that is not negative, not -1`)],
    [1.5, new RangeError(`${what} that is not negative, not 1.5`)],
    [Number.NaN, new RangeError(`${what} that is not negative, not NaN`)],
    [Number.POSITIVE_INFINITY, new RangeError(`${what} that is not negative, not Infinity`)],
    ["2", new TypeError(`${what}, not "2"`)],
    [undefined, new TypeError(`${what}, not undefined`)],
  ];
  for (const [parties, error] of wrong) {
    test(`${typeof parties} ${String(parties)}`, () => expect(thrownBy(() => new Barrier(parties as number))).toEqual(error));
  }
});

test("all go on when the last one has arrived, each with its place in the order of arrival, and in that order", async () => {
  const log: [place: number, who: string, at: number][] = [];
  await simulate((nursery) => {
    const barrier = new Barrier(4);
    for (const [who, arrives] of Object.entries({ a: 7, b: 3, c: 5, d: 1 })) {
      nursery.startSoon(async () => {
        await sleep(arrives);
        log.push([await barrier.wait(), who, now()]);
      });
    }
  });
  expect(log).toEqual([
    [0, "d", 7],
    [1, "b", 7],
    [2, "c", 7],
    [3, "a", 7],
  ]);
});

test("it begins anew each time: who comes back before the others have gone on is the first of the next round", async () => {
  const rounds: number[][] = [[], [], []];
  await simulate(
    (nursery) => {
      const barrier = new Barrier(3);
      for (let who = 0; who < 3; who++) {
        nursery.startSoon(async () => {
          for (const round of rounds) {
            expect(round.length).toBeLessThan(3);
            round.push(await barrier.wait());
          }
        });
      }
    },
    { pick: (n) => n - 1 },
  );
  expect(rounds.map((places) => places.sort())).toEqual([
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ]);
});

test("R5: for the last one it is a checkpoint, also for the only one", async () => {
  for (const runtime of [simulate, run]) {
    await runtime(async (nursery) => {
      const log: string[] = [];
      nursery.startSoon(() => log.push("other"));
      expect([await new Barrier(1).wait(), log]).toEqual([0, ["other"]]);
    });
  }
});

describe("R6: a wait() that is cancelled", () => {
  test("has not arrived: the others wait on, and move up", async () => {
    const log: [place: number, who: number][] = [];
    await simulate(async (nursery) => {
      const barrier = new Barrier(3);
      const scopes = [0, 1, 2, 3, 4].map(() => new CancelScope());
      for (const [who, scope] of scopes.entries()) {
        nursery.startSoon(() =>
          scope.run(async () => {
            await sleep(2 * who);
            log.push([await barrier.wait(), who]);
          }),
        );
      }
      await sleep(3);
      expect(barrier.statistics()).toEqual({ parties: 3, tasksWaiting: 2 });
      scopes[0]?.cancel();
      expect(barrier.statistics()).toEqual({ parties: 3, tasksWaiting: 1 });
      await sleep(2);
      expect(barrier.statistics()).toEqual({ parties: 3, tasksWaiting: 2 });
      scopes[2]?.cancel();
      expect(barrier.statistics()).toEqual({ parties: 3, tasksWaiting: 1 });
    });
    expect(log).toEqual([
      [0, 1],
      [1, 3],
      [2, 4],
    ]);
  });

  test("is refused, in a scope that is cancelled already, also as the last one", async () => {
    await simulate(async (nursery) => {
      const barrier = new Barrier(2);
      const other = nursery.startSoon(() => barrier.wait());
      await sleep(1);
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await rejectionOf(barrier.wait())).toBe(reasonOf(scope));
      });
      expect([other.state, barrier.statistics().tasksWaiting]).toEqual(["running", 1]);
      expect(await barrier.wait()).toBe(1);
    });
  });

  test("delivers its place, if the last one had arrived before", async () => {
    await simulate(async (nursery) => {
      const barrier = new Barrier(2);
      const scope = new CancelScope();
      const places: number[] = [];
      nursery.startSoon(() => scope.run(async () => places.push(await barrier.wait())));
      await sleep(1);
      const last = barrier.wait();
      scope.cancel();
      places.push(await last);
      expect(places).toEqual([0, 1]);
    });
  });

  test("may be done again", async () => {
    await simulate(async (nursery) => {
      const barrier = new Barrier(2);
      nursery.startSoon(() => sleep(30).then(() => barrier.wait()));
      let tries = 0;
      while ((await moveOnAfter(7, () => barrier.wait())) === undefined) tries++;
      expect([tries, now(), barrier.statistics().tasksWaiting]).toEqual([4, 30, 0]);
    });
  });
});

test("a party that fails cancels those that wait, because they are its siblings: nothing is left broken", async () => {
  await simulate(async () => {
    const barrier = new Barrier(3);
    const boom = new Error("boom");
    const failing = openNursery((nursery) => {
      for (let i = 0; i < 2; i++) nursery.startSoon(() => barrier.wait());
      nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)));
    });
    expect(await rejectionOf(failing)).toBe(boom);
    expect(barrier.statistics().tasksWaiting).toBe(0);
    await openNursery((nursery) => {
      for (let i = 0; i < 3; i++) nursery.startSoon(() => barrier.wait());
    });
  });
});

test("a party that never comes is a deadlock, which is reported", async () => {
  const error = await rejectionAs(
    DeadlockError,
    simulate((nursery) => {
      const barrier = new Barrier(2);
      nursery.startSoon(() => barrier.wait(), { name: "a" });
    }),
  );
  expect(error.waiting).toContainEqual({ task: "root > a", op: "wait", on: "Barrier" });
});

test("it waits in the scope that it is passed, also under a foreign signal alone", async () => {
  const barrier = new Barrier(3);
  const outside = barrier.wait(new AbortController());
  await run(
    async (root) => {
      await new CancelScope().run(async (outer) => {
        const waiting = barrier.wait(outer);
        expect(barrier.statistics().tasksWaiting).toBe(2);
        outer.cancel();
        expect(await rejectionOf(waiting)).toBe(reasonOf(outer));
        expect(barrier.statistics().tasksWaiting).toBe(1);
      }, root);
      const second = root.startSoon((task) => barrier.wait({ signal: task.signal }));
      await checkpoint(root);
      expect([await barrier.wait(root), await second.join(root)]).toEqual([2, 1]);
    },
    { ambient: false },
  );
  expect(await outside).toBe(0);
});

test("an aborted foreign signal takes its party out", async () => {
  const barrier = new Barrier(2);
  const controller = new AbortController();
  const outside = barrier.wait(controller);
  controller.abort("enough");
  expect(await rejectionOf(outside)).toMatchObject({ name: "AbortError", cause: "enough" });
  expect(barrier.statistics().tasksWaiting).toBe(0);
});

/** One party of a random program. */
interface Party {
  readonly arrives: number;
  readonly pauses: number;
  readonly rounds: number;
  readonly cancelledAt: number;
}

const parties: fc.Arbitrary<Party[]> = fc.array(
  fc.record({
    arrives: fc.nat({ max: 5 }),
    pauses: fc.nat({ max: 3 }),
    rounds: fc.integer({ min: 1, max: 4 }),
    cancelledAt: fc.oneof(fc.nat({ max: 12 }), fc.constant(50)),
  }),
  { maxLength: 9 },
);

test("R6, R11: whoever arrives and is cancelled when, at any order of wake-ups: rounds are full, and in order of arrival", async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(parties, fc.integer({ min: 1, max: 4 }), schedules(), async (program, n, schedule) => {
      const barrier = new Barrier(n);
      const line: number[] = [];
      const placeOf = new Map<number, number>();
      await simulate(
        (nursery) => {
          for (const [who, { arrives, pauses, rounds, cancelledAt }] of program.entries()) {
            const scope = new CancelScope({ timeout: cancelledAt });
            scope.signal.addEventListener("abort", () => {
              if (line.includes(who)) line.splice(line.indexOf(who), 1);
            });
            nursery.startSoon(() =>
              scope.run(async () => {
                await sleep(arrives);
                for (let i = 0; i < rounds; i++) {
                  expect(barrier.statistics().tasksWaiting).toBe(line.length);
                  scope.throwIfCancelled();
                  line.push(who);
                  if (line.length === n) for (const [place, each] of line.splice(0).entries()) placeOf.set(each, place);
                  const place = await barrier.wait().catch((error) => {
                    expect(placeOf.has(who)).toBe(false);
                    throw error;
                  });
                  expect(place).toBe(placeOf.get(who));
                  placeOf.delete(who);
                  completed++;
                  await (pauses === 0 ? checkpoint() : sleep(pauses));
                }
              }),
            );
          }
        },
        { pick: pickOf(schedule) },
      );
      expect([line.length, placeOf.size, barrier.statistics().tasksWaiting]).toEqual([0, 0, 0]);
    }),
    { numRuns: 500 },
  );
  expect(completed).toBeGreaterThan(500);
});
