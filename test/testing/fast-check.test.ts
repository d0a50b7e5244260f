import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpoint, Lock, moveOnAfter, openNursery, Semaphore, sleep, TaskCancelledError, UsageError } from "../../src/index.js";
import { cancellation, concurrentModelRun, schedule } from "../../src/testing/fast-check/index.js";
import { fixedSchedule, replay, type Schedule, ScheduleFailure, type Sim, simulate } from "../../src/testing/index.js";
import { rejectionOf } from "../kernel/support.js";
import { lockOrder, lostUpdate, ordering } from "./planted.js";

const SEEDS = 100;
const programs: readonly [string, () => Promise<void>, string][] = [
  ["lost update", lostUpdate, "an update is lost: 2 of 3"],
  ["lock order", lockOrder, "nothing can go on any more, and no time can pass that would change that"],
  ["ordering of 6", ordering(6), "all 6 steps of A came between two of B"],
  ["ordering of 12", ordering(12), "all 12 steps of A came between two of B"],
];

describe("a failure under schedule() is reduced to two departures at most, and replayed alike by { seed, path } and by its text:", () => {
  for (const [name, body, message] of programs) {
    test(`${name}, ${SEEDS} seeds`, async () => {
      const property = () => fc.asyncProperty(schedule({ sim: { timeRaces: false } }), (s) => s.run(body));
      let steps = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const details = await fc.check(property(), { seed, numRuns: 1000 });
        expect(details.failed, `seed ${seed} found nothing`).toBe(true);
        const [found] = details.counterexample as [Schedule];
        const error = details.errorInstance as ScheduleFailure;
        expect(error).toBeInstanceOf(ScheduleFailure);
        expect(error.message).toContain(message);
        expect(found.replay).toBe(error.replay);
        expect(found.replay.length).toBeLessThanOrEqual(30);
        expect(departures(found.replay)).toBeLessThanOrEqual(2);
        steps += details.numShrinks;

        const path = details.counterexamplePath as string;
        const again = await fc.check(property(), { seed, path, endOnFailure: true });
        expect(again.failed).toBe(true);
        expect((again.counterexample as [Schedule])[0].replay).toBe(found.replay);
        expect((again.errorInstance as Error).message).toBe(error.message);

        const replayed = (await rejectionOf(replay(found.replay, body, { sites: false }))) as ScheduleFailure;
        expect(replayed.message).toBe(error.message);
      }
      expect(steps).toBeGreaterThan(0);
    });
  }
});

function departures(code: string): number {
  const list = /:([^#]*)/.exec(code)?.[1] ?? "";
  return list === "" ? 0 : list.split(".").length;
}

describe("schedule()", () => {
  test("prints the counterexample as the schedule and the timeline of the run that failed", async () => {
    const property = fc.asyncProperty(schedule({ sim: { timeRaces: false } }), fc.nat(3), (s, _) => s.run(ordering(2)));
    const details = await fc.check(property, { seed: 3, numRuns: 1000 });
    const { timeline, replay: code } = details.errorInstance as ScheduleFailure;
    const printed = fc.stringify(details.counterexample);
    expect(printed).toBe(`[fixedSchedule("${code}")\n${timeline}\n,0]`);
    expect(printed.split("\n").slice(0, 4)).toMatchInlineSnapshot(`
      [
        "[fixedSchedule("R:2#zsm")",
        "  step     time | B          | A          | C          | main",
        "     1      0ms | start      |            |            |",
        "     2      0ms | checkpoint |            |            |",
      ]
    `);
    await expect(fc.assert(property, { seed: 3, numRuns: 1000 })).rejects.toThrow(`Counterexample: [fixedSchedule("${code}")`);
  });

  test("gives schedules of every kind, which run the body to its end", async () => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(schedule(), async (s) => {
        kinds.add(/pos|pct|random|"[rf]:[^"]?/i.exec(String(s))?.[0].slice(0, 4) ?? "?");
        let isOver = false;
        expect(
          await s.run(async () => {
            await lostUpdateFree();
            isOver = true;
          }),
        ).toBeUndefined();
        expect(isOver).toBe(true);
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(kinds.size).toBeGreaterThanOrEqual(6);
  });

  test("also shrinks an example, which was not generated", async () => {
    const found = await replayOf(lockOrder);
    const details = await fc.check(
      fc.asyncProperty(schedule(), (s) => s.run(lockOrder)),
      {
        examples: [[fixedSchedule(`${found.replace(/#.*/, "")}.9.9`)]],
        numRuns: 1,
      },
    );
    expect(details.failed).toBe(true);
    expect(departures((details.counterexample as [Schedule])[0].replay)).toBe(1);
  });

  test("refuses a wrong number of points", () => {
    expect(() => schedule({ maxPoints: 0 })).toThrow(RangeError);
  });
});

async function lostUpdateFree(): Promise<void> {
  await openNursery((nursery) => {
    for (let i = 0; i < 3; i++) nursery.startSoon(() => checkpoint());
  });
}

async function replayOf(body: () => Promise<void>): Promise<string> {
  const details = await fc.check(
    fc.asyncProperty(schedule({ sim: { timeRaces: true } }), (s) => s.run(body)),
    { seed: 1, numRuns: 1000 },
  );
  return (details.counterexample as [Schedule])[0].replay;
}

describe("cancellation()", () => {
  const leaky = (permits: Semaphore) =>
    openNursery((nursery) => {
      for (const name of ["A", "B"]) {
        nursery.startSoon(
          async () => {
            await permits.acquire();
            await checkpoint();
            permits.release();
          },
          { name },
        );
      }
    });

  const property = (isCancelling = true) =>
    fc.asyncProperty(cancellation(), async (c) => {
      const permits = new Semaphore(2);
      await simulate(async (sim) => {
        if (isCancelling) c.apply(sim);
        await leaky(permits);
      });
      if (permits.value !== 2) throw new Error(`${permits.value} of 2 permits are left`);
    });

  test("finds what is not released, at the earliest operation, and is replayed", async () => {
    const details = await fc.check(property(), { seed: 1, numRuns: 500 });
    expect(details.failed).toBe(true);
    expect(fc.stringify(details.counterexample)).toBe("[cancellation of the task while operation 1 waits]");
    const again = await fc.check(property(), { seed: 1, path: details.counterexamplePath as string, endOnFailure: true });
    expect(fc.stringify(again.counterexample)).toBe(fc.stringify(details.counterexample));
    expect((await fc.check(property(false), { seed: 1, numRuns: 200 })).failed).toBe(false);
  });

  test("cancels one task, or everything, once, before an operation or in its wait", async () => {
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(cancellation({ max: 8 }), async (c) => {
        const ended: string[] = [];
        await simulate(async (sim) => {
          c.apply(sim);
          await openNursery((nursery) => {
            for (const name of "AB") {
              nursery.startSoon(async () => {
                await checkpoint();
                await checkpoint();
                ended.push(name);
              });
            }
          });
          ended.push("body");
        });
        outcomes.add(ended.join(" "));
      }),
      { numRuns: 300, seed: 2 },
    );
    expect(outcomes).toEqual(new Set(["A B body", "A body", "B body", ""]));
  });

  test("a run that fails with nothing but the cancellation passes, and with anything else it does not", async () => {
    const [second] = fc.sample(
      cancellation({ max: 2, targets: ["task"] }).filter((c) => String(c) === "cancellation of the task before operation 2"),
      { numRuns: 1, seed: 1 },
    );
    const body = (error?: Error) => async (sim: Sim) => {
      const task = sim.root.startSoon(() => checkpoint());
      second?.apply(sim);
      try {
        await task.join();
      } catch (reason) {
        expect(reason).toBeInstanceOf(TaskCancelledError);
        throw error ?? reason;
      }
      throw new Error("nothing was cancelled");
    };
    expect(await simulate(body())).toBeUndefined();
    const failure = (await rejectionOf(simulate(body(new RangeError("other"))))) as ScheduleFailure;
    expect(failure.cause).toMatchObject({ message: "other" });
  });

  test("does not count an operation that a deadline refuses", async () => {
    const [first] = fc.sample(
      cancellation({ max: 1, targets: ["root"] }).filter((c) => String(c) === "cancellation of the root before operation 1"),
      { numRuns: 1, seed: 1 },
    );
    const reached: string[] = [];
    await simulate(async (sim) => {
      first?.apply(sim);
      await moveOnAfter(0, () => checkpoint());
      reached.push("after the deadline");
      await checkpoint();
      reached.push("after the cancellation");
    });
    expect(reached).toEqual(["after the deadline"]);
  });

  test("refuses a second one, and wrong options", async () => {
    const [one] = fc.sample(
      cancellation().filter((c) => String(c) !== "no cancellation"),
      1,
    );
    await simulate((sim) => {
      one?.apply(sim);
      expect(() => one?.apply(sim)).toThrow(new UsageError("a cancellation is injected into this run already"));
    });
    expect(() => one?.apply({} as Sim)).toThrow(UsageError);
    expect(() => cancellation({ max: 0 })).toThrow(RangeError);
    expect(() => cancellation({ targets: [] })).toThrow(RangeError);
  });
});

interface Counter {
  add(n: number): Promise<number>;
}

/** Adds in two steps; only with the lock are they one. */
class RealCounter implements Counter {
  readonly #lock: Lock | undefined;
  #value = 0;

  constructor(isLocked: boolean) {
    this.#lock = isLocked ? new Lock() : undefined;
  }

  add(n: number): Promise<number> {
    const add = async () => {
      const value = this.#value;
      await checkpoint();
      this.#value = value + n;
      return this.#value;
    };
    return this.#lock === undefined ? add() : this.#lock.run(add);
  }
}

class Add implements fc.AsyncCommand<{ value: number }, Counter> {
  readonly n: number;

  constructor(n: number) {
    this.n = n;
  }

  check = () => true;

  async run(model: { value: number }, real: Counter): Promise<void> {
    const result = await real.add(this.n);
    model.value += this.n;
    if (result !== model.value) throw new Error(`${result} instead of ${model.value}`);
  }

  toString(): string {
    return `add(${this.n})`;
  }
}

describe("concurrentModelRun()", () => {
  const add = fc.nat({ max: 3 }).map((n) => new Add(n));
  const commands = () => fc.commands([add], { maxCommands: 3 });
  // What fc.commands shrinks to depends on what has run, so that it wants a `replayPath` besides; lists do not.
  const property = (isLocked: boolean, list: () => fc.Arbitrary<Iterable<Add>> = () => fc.array(add, { maxLength: 3 })) =>
    fc.asyncProperty(schedule({ sim: { timeRaces: false } }), list(), list(), (s, one, other) =>
      concurrentModelRun(s, () => ({ model: { value: 0 }, real: new RealCounter(isLocked) as Counter }), [one, other]),
    );

  test("passes what is right in some order, where step by step it would not be equal", async () => {
    await fc.assert(property(true), { numRuns: 300, seed: 1 });
    await fc.assert(property(true, commands as () => fc.Arbitrary<Iterable<Add>>), { numRuns: 100, seed: 1 });
  });

  test("finds what is right in none, and shows it", async () => {
    const details = await fc.check(property(false), { seed: 1, numRuns: 300 });
    expect(details.failed).toBe(true);
    const failure = details.errorInstance as ScheduleFailure;
    expect(failure.kind).toBe("nonlinearizable");
    expect(failure.message.split("\n\n")[0]).toMatchInlineSnapshot(`
      "nonlinearizable: NonlinearizableError: the history is not linearizable: no order of these operations explains all of their results
        operation           steps
        task 1: add(1) = 1  1-3    |-|
        task 2: add(0) = 0  2-4     |-|
        task 2: add(0) = 0  4-5        ||
      the longest order that is right: task 2: add(0) = 0, task 1: add(1) = 1; then the state is {"value":1}
      not explained: task 2: add(0) = 0"
    `);
    const path = details.counterexamplePath as string;
    const again = await fc.check(property(false), { seed: 1, path, endOnFailure: true });
    expect((again.errorInstance as Error).message).toBe(failure.message);
  });

  test("says so when a command calls again after what it asserted did not hold", async () => {
    class Twice extends Add {
      override async run(model: { value: number }, real: Counter): Promise<void> {
        await super.run(model, real);
        await super.run(model, real);
      }
    }
    const details = await fc.check(
      fc.asyncProperty(schedule(), (s) =>
        concurrentModelRun(s, () => ({ model: { value: 0 }, real: new RealCounter(false) as Counter }), [[new Twice(1)], [new Twice(2)]]),
      ),
      { numRuns: 200, seed: 1 },
    );
    expect((details.errorInstance as ScheduleFailure).cause).toEqual(
      new UsageError(
        "add(2) calls the real object again after something that it asserted did not hold. Call it first, and assert then: what holds is not known before",
      ),
    );
  });

  test("takes no order in which `check` does not hold for a command", async () => {
    interface Shelf {
      put(): Promise<number>;
      take(): Promise<void>;
    }
    type Model = { size: number; takes: number };
    const put: fc.AsyncCommand<Model, Shelf> = {
      check: () => true,
      run: async (model, real) => {
        const takes = await real.put();
        model.size++;
        await real.take();
        if (takes !== model.takes) throw new Error("wrong");
      },
      toString: () => "put",
    };
    const take: fc.AsyncCommand<Model, Shelf> = {
      check: (model) => model.size > 0,
      run: async (model, real) => {
        await real.take();
        model.takes++;
      },
      toString: () => "take",
    };
    // As if it had come after the other one, which it cannot have: there was nothing to take.
    const real: Shelf = { put: () => checkpoint().then(() => 1), take: () => sleep(1) };
    const idle: fc.AsyncCommand<Model, Shelf, true> = {
      check: () => checkpoint().then(() => false),
      run: async () => {},
      toString: () => "idle",
    };
    const failure = (await rejectionOf(
      concurrentModelRun(fixedSchedule("F:"), () => ({ model: { size: 0, takes: 0 }, real }), [[put], [idle, idle, idle, take]]),
    )) as ScheduleFailure;
    expect(failure.kind).toBe("nonlinearizable");
    expect(failure.message).toContain("task 2: take");
  });

  test("leaves out what `check` does not allow, and plays properties and nested objects back", async () => {
    interface Stack {
      readonly inner: { readonly items: number[]; size: number };
    }
    const pop: fc.AsyncCommand<{ size: number }, Stack> = {
      check: (model) => model.size > 0,
      run: async (model, real) => {
        const before = real.inner.size;
        const item = real.inner.items.pop();
        if (before !== 1 || item !== 7) throw new Error(`${before} ${item}`);
        model.size--;
      },
      toString: () => "pop",
    };
    const real: Stack = { inner: { items: [7], size: 1 } };
    await concurrentModelRun(fixedSchedule("f:"), () => ({ model: { size: 1 }, real }), [[pop], [pop]]);
    expect(real.inner.items).toEqual([]);
  });
});
