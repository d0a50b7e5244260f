import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpoint, Lock, moveOnAfter, openNursery } from "../../src/index.js";
import type { Sim, SimOptions } from "../../src/testing/index.js";
import { ExhaustiveSearch } from "../../src/testing/search/exhaustive-search.js";
import { ReducedSearch } from "../../src/testing/search/reduced-search.js";
import { outcomesOf, type RandomProgram, randomPrograms, runsOf } from "./support.js";

const MOST = 3000;
/** To hunt: `SEED=random REDUCTION_RUNS=2000`. Without `SEED` they are those of the sources, and so the same each time. */
const RUNS = { numRuns: Number(process.env["REDUCTION_RUNS"] ?? "100") };

describe("the exhaustive search with reduction", { timeout: 60_000 + 100 * RUNS.numRuns }, () => {
  test("finds the outcomes that the exhaustive search finds, on random programs, with fewer runs", async () => {
    let full = 0;
    let reduced = 0;
    await fc.assert(
      fc.asyncProperty(randomPrograms(4), async (program) => {
        const all = await outcomesOf(program, new ExhaustiveSearch("run"), MOST);
        fc.pre(all.isComplete);
        const some = await outcomesOf(program, new ReducedSearch(), MOST);
        expect(some.isComplete).toBe(true);
        expect(some.outcomes).toEqual(all.outcomes);
        expect(some.runs).toBeLessThanOrEqual(all.runs);
        full += all.runs;
        reduced += some.runs;
      }),
      RUNS,
    );
    expect(reduced).toBeLessThan(full);
  });

  test("also where time passes, and may while others could go on", async () => {
    await fc.assert(
      fc.asyncProperty(randomPrograms(3, true), fc.boolean(), async (program, timeRaces) => {
        const all = await outcomesOf(program, new ExhaustiveSearch("run"), MOST, { timeRaces });
        fc.pre(all.isComplete);
        const some = await outcomesOf(program, new ReducedSearch(), MOST, { timeRaces });
        expect(some.isComplete).toBe(true);
        expect(some.outcomes).toEqual(all.outcomes);
      }),
      RUNS,
    );
  });

  const found = async (program: RandomProgram, options: SimOptions) => {
    const all = await outcomesOf(program, new ExhaustiveSearch("run"), MOST, options);
    const some = await outcomesOf(program, new ReducedSearch(), MOST, options);
    return { all, some };
  };

  test("lets time pass before a step to which all that is needed for that need not come after", async () => {
    // No timer is set when t0 could begin, and nothing is ready when time passes.
    const program: RandomProgram = [
      [{ kind: "write", of: 0 }],
      [
        { kind: "write", of: 1 },
        { kind: "rest", ms: 1 },
        { kind: "read", of: 0 },
      ],
    ];
    const { all, some } = await found(program, { timeRaces: true });
    const reads = (outcomes: string[]) => [...new Set(outcomes.map((outcome) => JSON.stringify(JSON.parse(outcome)[2])))];
    expect(reads(all.outcomes)).toEqual(["[[],[0]]", "[[],[100]]"]);
    expect(some.outcomes).toEqual(all.outcomes);
    expect(await found(program, { timeRaces: false }).then(({ some: { runs } }) => runs)).toBe(1);
  });

  test("lets time pass where a step clears the timer that would let it", async () => {
    const ends = new Set<boolean>();
    const limited = async () => {
      const done = await moveOnAfter(1, (scope) => checkpoint(scope).then(() => true));
      ends.add(done === true);
    };
    const { runs } = await runsOf(limited, new ReducedSearch(), undefined, undefined, { timeRaces: true });
    expect([...ends]).toEqual([true, false]);
    expect(runs).toBe(2);
  });

  test("does not let time pass where no timer would be set", async () => {
    // Without t0 there is no timer, so nothing is gained by beginning with t1.
    const program: RandomProgram = [
      [
        { kind: "read", of: 0 },
        { kind: "rest", ms: 1 },
        { kind: "read", of: 0 },
      ],
      [{ kind: "read", of: 1 }],
    ];
    const { all, some } = await found(program, { timeRaces: true });
    expect(some.outcomes).toEqual(all.outcomes);
    expect([some.runs, all.runs]).toEqual([2, 4]);
  });

  test("does not take an order that it has seen once more, where steps that are left for later sleep", async () => {
    // Two orders differ: of the write of t1, and what t2 reads last.
    const program: RandomProgram = [
      [{ kind: "read", of: 0 }],
      [{ kind: "write", of: 1 }],
      [{ kind: "read", of: 0 }, { kind: "let" }, { kind: "read", of: 1 }],
    ];
    const { all, some } = await found(program, {});
    expect(some.outcomes).toEqual(all.outcomes);
    expect([some.runs, all.runs]).toEqual([2, 12]);
  });

  const ways = async (body: (sim: Sim) => Promise<void>) => {
    const { runs: full } = await runsOf(body, new ExhaustiveSearch("run"));
    const { runs: reduced } = await runsOf(body, new ReducedSearch());
    return { full, reduced };
  };
  /** Three tasks of two steps each, each of which does something. */
  const crowd = (act: (who: number, sim: Sim) => () => void) => (sim: Sim) =>
    openNursery((nursery) => {
      for (let who = 0; who < 3; who++) {
        const once = act(who, sim);
        nursery.startSoon(async () => {
          once();
          await checkpoint();
          once();
        });
      }
    });

  test("tries one order of steps that touch nothing in common, also where all read", async () => {
    const apart = crowd((who, sim) => {
      const own = sim.shared(`own${who}`, { n: 0 });
      return () => {
        own.n = 1;
      };
    });
    expect(await ways(apart)).toEqual({ full: 90, reduced: 1 });
    const reading = crowd((_, sim) => {
      const one = sim.shared("one", { n: 0 });
      return () => void one.n;
    });
    expect(await ways(reading)).toEqual({ full: 90, reduced: 1 });
  });

  test("tries each order of those that do", async () => {
    const writing = crowd((_, sim) => {
      const one = sim.shared("one", { n: 0 });
      return () => {
        one.n = 1;
      };
    });
    expect(await ways(writing)).toEqual({ full: 90, reduced: 90 });
  });

  test("takes what is not declared to touch everything", async () => {
    let n = 0;
    const undeclared = crowd(() => () => {
      n++;
    });
    expect(await ways(undeclared)).toEqual({ full: 90, reduced: 90 });
    expect(n).toBeGreaterThan(0);
  });

  test("leaves nothing out where states are looked at between steps", async () => {
    const apart = crowd((who, sim) => {
      const own = sim.shared(`own${who}`, { n: 0 });
      return () => {
        own.n = 1;
      };
    });
    const checked = (sim: Sim) => {
      sim.invariant("true", () => true);
      return apart(sim);
    };
    expect(await ways(checked)).toEqual({ full: 90, reduced: 90 });
  });

  test("finds a deadlock of two locks, where the exhaustive search needs far more schedules", async () => {
    const deadlock = async (sim: Sim) => {
      const [p, q] = [new Lock(), new Lock()];
      const noise = sim.shared("noise", { n: 0 });
      await openNursery((nursery) => {
        nursery.startSoon((task) => p.run(() => q.run(() => {}, task), task));
        nursery.startSoon((task) => q.run(() => p.run(() => {}, task), task));
        nursery.startSoon(async () => {
          for (let i = 0; i < 3; i++) {
            noise.n++;
            await checkpoint();
          }
          noise.n++;
        });
      });
    };
    const kinds = new Set<string | undefined>();
    const { runs } = await runsOf(deadlock, new ReducedSearch(), ({ finding }) => kinds.add(finding?.kind));
    const full = await runsOf(deadlock, new ExhaustiveSearch("run"), undefined, 1000, { drain: "sync" });
    expect([...kinds].sort()).toEqual(["deadlock", undefined]);
    expect(full.isComplete).toBe(false);
    expect(runs).toBeLessThan(100);
  });

  test("takes every way of a choice of the program itself", async () => {
    const chosen: string[] = [];
    const { runs } = await runsOf(async (sim) => {
      chosen.push(`${sim.choose(3)}${sim.choose(2)}`);
      await checkpoint();
    }, new ReducedSearch());
    expect(runs).toBe(6);
    expect(chosen).toEqual(["00", "01", "10", "11", "20", "21"]);
  });
});
