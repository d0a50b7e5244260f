import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpoint, Lock, openNursery, run, sleep } from "../../src/index.js";
import { DepartureScheduler, type Departures } from "../../src/testing/engine/departures.js";
import { Random } from "../../src/testing/engine/random.js";
import { baseScheduler } from "../../src/testing/engine/scheduler.js";
import type { TrialResult } from "../../src/testing/engine/trial.js";
import {
  type ExploreOptions,
  explore,
  ReplayDiverged,
  replay,
  ScheduleFailure,
  type Sim,
  type Strategy,
  simulate,
} from "../../src/testing/index.js";
import { BoundedSearch } from "../../src/testing/search/bounded-search.js";
import { ExhaustiveSearch } from "../../src/testing/search/exhaustive-search.js";
import { FairSuffixScheduler } from "../../src/testing/search/fair-suffix-scheduler.js";
import { PctScheduler } from "../../src/testing/search/pct-scheduler.js";
import { PosScheduler } from "../../src/testing/search/pos-scheduler.js";
import { RandomScheduler } from "../../src/testing/search/random-scheduler.js";
import { decode, encode, short } from "../../src/testing/search/schedule-code.js";
import { searchOf } from "../../src/testing/search/strategy.js";
import { UrwScheduler } from "../../src/testing/search/urw-scheduler.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { type Act, bodyOf, type RandomProgram, randomPrograms, runOnce, runsOf } from "./support.js";

const schedulers = [
  (seed: number) => new RandomScheduler(new Random(seed)),
  (seed: number) => new PosScheduler(new Random(seed)),
  (seed: number) => new PctScheduler(new Random(seed), 3, 10),
  (seed: number) => new UrwScheduler(new Random(seed), new Map()),
  (seed: number) => new FairSuffixScheduler(new Random(seed)),
];
const anyScheduler = fc.tuple(fc.constantFrom(...schedulers), fc.integer());
const seen = ({ trace, finding }: TrialResult<unknown>) => ({ steps: trace.steps, checksum: trace.checksum, kind: finding?.kind });
const quietly = (program: RandomProgram) => bodyOf(program, () => {});

describe("a schedule", () => {
  test("is the same run each time, step by step, with time races and without, by turns of the event loop or at once", async () => {
    await fc.assert(
      fc.asyncProperty(randomPrograms(5, true), anyScheduler, fc.boolean(), async (program, [make, seed], timeRaces) => {
        const first = seen(await runOnce(quietly(program), make(seed), { timeRaces }));
        expect(seen(await runOnce(quietly(program), make(seed), { timeRaces }))).toEqual(first);
        expect(seen(await runOnce(quietly(program), make(seed), { timeRaces, drain: "sync" }))).toEqual(first);
      }),
    );
  });

  test("that was recorded is data: departures from its base order, which make the same run", async () => {
    await fc.assert(
      fc.asyncProperty(randomPrograms(5, true), anyScheduler, fc.boolean(), async (program, [make, seed], timeRaces) => {
        const scheduler = make(seed);
        const recorded = await runOnce(quietly(program), scheduler, { timeRaces });
        const { picks } = recorded.trace;
        const again = await runOnce(quietly(program), new DepartureScheduler({ base: scheduler.base, picks }), { timeRaces });
        expect(seen(again)).toEqual(seen(recorded));
      }),
    );
  });

  test("is text, and back", () => {
    const departures: fc.Arbitrary<Departures> = fc.record({
      base: fc.constantFrom("fifo" as const, "run" as const),
      timeRaces: fc.boolean(),
      seed: fc.integer(),
      picks: fc
        .array(fc.tuple(fc.nat({ max: 5000 }), fc.integer({ min: 1, max: 50 })), { maxLength: 20 })
        .map((list) => [...new Map(list)].sort(([a], [b]) => a - b)),
    });
    fc.assert(
      fc.property(departures, fc.nat(), (given, checksum) => {
        expect(decode(encode(given, checksum))).toEqual({ departures: given, checksum: short(checksum) });
      }),
    );
    expect(encode({ base: "run", timeRaces: true, seed: 0, picks: [[1, 1]] }, 15_950)).toBe("r:1#cb2");
  });

  test("is refused as text where it is none", async () => {
    for (const code of ["", "x:1#abc", "r1", "r:1#ab", "r:1..2#abc", "r:1+#abc", 7]) {
      expect(await rejectionOf(replay(code as string, () => {}))).toMatchObject({ name: "UsageError" });
    }
  });
});

describe("systematic searches visit exactly what there is, and nothing twice:", () => {
  /** All paths with at most `bound` departures, by trying every way at every point. */
  const naive = async (body: (sim: Sim) => Promise<void>, bound: number): Promise<string[]> => {
    const found: string[] = [];
    const visit = async (path: readonly (readonly [number, number])[], from: number): Promise<void> => {
      const { trace } = await runOnce(body, new DepartureScheduler({ base: "run", picks: path }));
      found.push(JSON.stringify(path));
      if (path.length === bound) return;
      for (let point = from; point < trace.points.length; point++) {
        for (let pick = 1; pick < (trace.points[point] as number); pick++) await visit([...path, [point, pick]], point + 1);
      }
    };
    await visit([], 0);
    return found.sort();
  };

  for (const [name, bound, make] of [
    ["bounded(0)", 0, () => new BoundedSearch("run", 0)],
    ["bounded(1)", 1, () => new BoundedSearch("run", 1)],
    ["bounded(2)", 2, () => new BoundedSearch("run", 2)],
    ["exhaustive", Number.POSITIVE_INFINITY, () => new ExhaustiveSearch("run")],
  ] as const) {
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(randomPrograms(2), async (program) => {
          const visited: string[] = [];
          const { isComplete } = await runsOf(quietly(program), make(), ({ trace }) => visited.push(JSON.stringify(trace.picks)), 1e5);
          expect(isComplete).toBe(true);
          const all = await naive(quietly(program), bound);
          expect(visited.sort()).toEqual(all);
          expect(new Set(visited).size).toBe(visited.length);
        }),
        { numRuns: 10 },
      );
    });
  }

  test("bounded comes to fewer departures first", async () => {
    const sizes: number[] = [];
    const program: RandomProgram = [[{ kind: "let" }, { kind: "let" }], [{ kind: "let" }], [{ kind: "let" }]];
    await runsOf(quietly(program), new BoundedSearch("run", 2), ({ trace }) => sizes.push(trace.picks.length), 1e5);
    expect(sizes).toEqual([...sizes].sort());
    expect(new Set(sizes)).toEqual(new Set([0, 1, 2]));
  });
});

/** Two locks, in two orders. */
const deadlock = async () => {
  const [p, q] = [new Lock(), new Lock()];
  await openNursery((nursery) => {
    nursery.startSoon((task) => p.run(() => checkpoint().then(() => q.run(() => {}, task)), task), { name: "A" });
    nursery.startSoon(
      async (task) => {
        for (let i = 0; i < 6; i++) await checkpoint();
        await q.run(() => checkpoint().then(() => p.run(() => {}, task)), task);
      },
      { name: "B" },
    );
  });
};
const strategies: readonly Strategy[] = [
  { kind: "portfolio" },
  { kind: "random" },
  { kind: "pct" },
  { kind: "pos" },
  { kind: "urw" },
  { kind: "bounded", preemptions: 1 },
  { kind: "exhaustive", reduce: true },
];

/** Programs that may deadlock: each task takes some locks, in some order, and does something between. */
const acts: readonly Act[] = [
  { kind: "take", lock: 0 },
  { kind: "take", lock: 1 },
  { kind: "let" },
  { kind: "let" },
  { kind: "read", of: 0 },
];
const lockPrograms = fc.array(fc.shuffledSubarray([...acts], { minLength: 2 }), { minLength: 2, maxLength: 3 });

describe("explore()", () => {
  for (const strategy of strategies) {
    test(`finds a deadlock with ${strategy.kind}, reduces it to one preemption, and its text replays it`, async () => {
      const failure = await rejectionAs(ScheduleFailure, explore(deadlock, { strategy, timeRaces: false, schedules: 2000, timeMs: 1e5 }));
      expect(failure.kind).toBe("deadlock");
      const { picks, base } = decode(failure.replay).departures;
      expect([base, picks.length]).toEqual(["run", 1]);
      expect(failure.replay.length).toBeLessThanOrEqual(30);
      const again = await rejectionAs(ScheduleFailure, replay(failure.replay, deadlock));
      expect([again.kind, again.replay, again.timeline]).toEqual([failure.kind, failure.replay, failure.timeline]);
    });
  }

  test("fails with a reduced schedule that fails so too, with two preemptions at most, on random programs", async () => {
    let failures = 0;
    await fc.assert(
      fc.asyncProperty(lockPrograms, fc.integer(), async (program, seed) => {
        const body = quietly(program);
        const result = await explore(body, { strategy: { kind: "random", seed }, schedules: 30, timeMs: 1e5, timeRaces: false }).catch(
          (error: unknown) => error,
        );
        if (!(result instanceof ScheduleFailure)) return;
        failures++;
        expect(decode(result.replay).departures.picks.length).toBeLessThanOrEqual(2);
        expect(await rejectionOf(replay(result.replay, body))).toMatchObject({ kind: result.kind, replay: result.replay });
      }),
      { numRuns: 200 },
    );
    expect(failures).toBeGreaterThan(10);
  });

  test("finds what the default order hides: that is said", async () => {
    const failure = await rejectionAs(ScheduleFailure, explore(deadlock));
    expect(failure.message).toContain("The default order passes.");
    const always = await rejectionAs(
      ScheduleFailure,
      explore(() => Promise.reject(new Error("boom"))),
    );
    expect(always.message).toContain("It fails in the default order.");
    const unreduced = await rejectionAs(
      ScheduleFailure,
      explore(() => checkpoint().then(() => Promise.reject(new Error("boom"))), { shrink: false, strategy: { kind: "run" } }),
    );
    expect(unreduced.message).toContain("The default order fails, too.");
  });

  test("reports what it has done: complete only when everything has been tried", async () => {
    const body = async (sim: Sim) => {
      sim.root.startSoon(() => checkpoint());
      sim.root.startSoon(() => checkpoint());
    };
    const all = await explore(body, { strategy: { kind: "exhaustive" } });
    expect(all).toMatchObject({ schedules: 6, distinctTraces: 6, complete: true, externals: [] });
    expect(await explore(body, { strategy: { kind: "exhaustive" }, schedules: 5 })).toMatchObject({ schedules: 5, complete: false });
    expect(await explore(body, { schedules: 20 })).toMatchObject({ schedules: 20, complete: false, distinctTraces: 6 });
    expect(await explore(body, { timeMs: 0 })).toMatchObject({ schedules: 1 });
  });

  test("starves nobody for ever: what needs its turn gets it before a run is called a livelock", async () => {
    const patient = async () => {
      let isDone = false;
      await openNursery((nursery) => {
        nursery.startSoon(async () => {
          while (!isDone) await checkpoint();
        });
        nursery.startSoon(() => {
          isDone = true;
        });
      });
    };
    // Each task until it waits: the first never does.
    const { maxSteps } = await explore(patient, { strategy: { kind: "run" }, maxSteps: 100, timeRaces: false });
    expect(maxSteps).toBeGreaterThan(50);
  });

  test("counts the bound of what must come true again from where the order becomes fair", async () => {
    const within = (steps: number) => async (sim: Sim) => {
      let isDone = false;
      sim.eventually("done", () => isDone, { steps });
      await openNursery((nursery) => {
        nursery.startSoon(async () => {
          while (!isDone) await checkpoint();
        });
        nursery.startSoon(async () => {
          for (let i = 0; i < 10; i++) await checkpoint();
          isDone = true;
        });
      });
    };
    const starving: ExploreOptions = { strategy: { kind: "run" }, timeRaces: false, maxSteps: 200 };
    await explore(within(40), starving);
    const failure = await rejectionAs(ScheduleFailure, explore(within(8), starving));
    expect((failure.cause as Error).message).toBe('"done" has not come true within 8 steps');
  });

  test("and simulate() are roots of their own in whatever scope they are called, and are cancelled by their signal", async () => {
    await run(async (outer) => {
      outer.cancel();
      expect(await simulate(() => checkpoint().then(() => "ran"))).toBe("ran");
    });
    const failure = await rejectionAs(
      ScheduleFailure,
      simulate(() => sleep(1), { signal: AbortSignal.abort() }),
    );
    expect(failure.cause).toMatchObject({ name: "AbortError", kind: "signal" });
  });

  test("takes time races by default: a timeout wins against an answer that is there", async () => {
    const body = async (sim: Sim) => {
      let isAnswered = false;
      sim.root.startSoon(() => {
        isAnswered = true;
      });
      await sleep(5);
      if (!isAnswered) throw new Error("late");
    };
    expect(await rejectionOf(explore(body))).toMatchObject({ kind: "error" });
    expect(await explore(body, { timeRaces: false })).toMatchObject({ schedules: 1000 });
  });

  test("refuses wrong options", async () => {
    const refused = (options: object) => rejectionOf(explore(() => {}, options)).then((error) => String(error));
    expect(await refused({ schedules: 0 })).toBe("RangeError: `schedules` of explore() is an integer from 1, or Infinity, not 0");
    expect(await refused({ timeMs: -1 })).toContain("RangeError: `timeMs` of explore()");
    expect(await refused({ maxSteps: 0.5 })).toBe("RangeError: `maxSteps` of explore() is an integer from 1, not 0.5");
    expect(await refused({ seed: 0.5 })).toBe("RangeError: `seed` of explore() is an integer, not 0.5");
    expect(await refused({ startTime: Number.NaN })).toBe("RangeError: `startTime` of explore() is a number of ms, not NaN");
    expect(await refused({ external: "wait" })).toBe('UsageError: `external` of explore() is "settle" or "fail", not wait');
    expect(await refused({ drain: "fast" })).toBe('UsageError: `drain` of explore() is "auto" or "sync", not fast');
    expect(await refused({ leaks: { lock: false } })).toContain("UsageError: a key of `leaks` of explore() is");
    expect(await refused({ strategy: { kind: "best" } })).toContain('UsageError: there is no strategy {"kind":"best"}');
    expect(await refused({ strategy: { kind: "bounded", preemptions: -1 } })).toContain("RangeError: `preemptions`");
    expect(await refused({ strategy: { kind: "pct", depth: 0 } })).toContain("RangeError: `depth`");
    expect(await refused({ strategy: { kind: "random", seed: 0.5 } })).toContain("RangeError: `seed`");
  });
});

describe("replay()", () => {
  test("passes where the failure has been repaired and the path is the same, and tells where it is another", async () => {
    let isBroken = true;
    const body = async (sim: Sim) => {
      let last = "";
      const note = (name: string) => {
        last = name;
      };
      for (const name of ["A", "B"]) sim.root.startSoon(() => note(name), { name });
      await sleep(1);
      if (isBroken && last === "A") throw new Error("order");
    };
    const { replay: code } = await rejectionAs(ScheduleFailure, explore(body, { timeRaces: false }));
    isBroken = false;
    await replay(code, body);
    const other = (sim: Sim) => body(sim).then(() => checkpoint());
    expect(await rejectionOf(replay(code, other))).toBeInstanceOf(ReplayDiverged);
    isBroken = true;
    const failure = await rejectionAs(
      ScheduleFailure,
      replay(code, (sim) => checkpoint().then(() => body(sim))),
    );
    expect(failure.message).toContain("It took another path than the one recorded: the program has changed since.");
  });
});

test("the orders of strategies differ, and each is the same for one seed", async () => {
  const body = quietly([[{ kind: "let" }, { kind: "let" }], [{ kind: "let" }, { kind: "let" }], [{ kind: "let" }]]);
  const traces = async (strategy: Strategy) => {
    const list: number[] = [];
    await runsOf(body, searchOf(strategy), ({ trace }) => list.push(trace.checksum), 12);
    return list.join();
  };
  const kinds = ["random", "pct", "pos", "urw"] as const;
  const lists = await Promise.all(kinds.map((kind) => traces({ kind, seed: 3 })));
  expect(await Promise.all(kinds.map((kind) => traces({ kind, seed: 3 })))).toEqual(lists);
  expect(new Set([...lists, await traces({ kind: "random", seed: 4 })]).size).toBe(5);
  expect(baseScheduler("run").base).toBe("run");
});

test("a fair suffix starves nobody, however long one goes on", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { finding, trace } = await runOnce(
      async (sim) => {
        let isOver = false;
        sim.root.startSoon(async () => {
          while (!isOver) await checkpoint();
        });
        sim.root.startSoon(() => {
          isOver = true;
        });
      },
      new FairSuffixScheduler(new Random(seed)),
    );
    expect(finding).toBeUndefined();
    expect(trace.length).toBeLessThan(30);
  }
});
