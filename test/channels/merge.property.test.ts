import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, checkpoint, generate, leaves, merge, openNursery, shield, sleep } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** Random sources, and a random consumer of them. Times are small, so that many things meet. */
interface Program {
  readonly sources: readonly Plan[];
  readonly capacity: number;
  /** How many items the consumer takes before it leaves. */
  readonly takes: number;
  readonly pause: number;
  readonly leaves: "break" | "throw" | "close";
  readonly cancelledAt: number | undefined;
}

interface Plan {
  readonly kind: "generator" | "generate()" | "iterator" | "sync";
  /** How long each item takes; `undefined`: it is there without a wait. */
  readonly items: readonly (number | undefined)[];
  readonly end: "return" | "throw" | "wait";
  readonly cleanup: "none" | "wait" | "throw";
}

const programs: fc.Arbitrary<Program> = fc.record({
  sources: fc.array(
    fc.record({
      kind: fc.constantFrom("generator", "generate()", "iterator", "sync"),
      items: fc.array(fc.option(fc.nat({ max: 3 }), { nil: undefined }), { maxLength: 5 }),
      end: fc.constantFrom("return", "return", "throw", "wait"),
      cleanup: fc.constantFrom("none", "none", "wait", "throw"),
    }),
    { maxLength: 4 },
  ),
  capacity: fc.constantFrom(0, 0, 1, 3, Number.POSITIVE_INFINITY),
  takes: fc.nat({ max: 25 }),
  pause: fc.nat({ max: 3 }),
  leaves: fc.constantFrom("break", "throw", "close"),
  cancelledAt: fc.option(fc.nat({ max: 15 }), { nil: undefined, freq: 2 }),
});

interface Item {
  readonly source: number;
  readonly n: number;
}

/** What one source went through. */
class Log {
  made = 0;
  returns = 0;
  entered = 0;
  cleanedUp = 0;
  /** Whether its `next()` has said that it is over, by its end or an error. */
  isOver = false;
}

const inLoop = new Error("in the loop");

class Run {
  readonly logs: Log[];
  readonly thrown = new Set<unknown>();
  asked = 0;
  received: Item[] = [];
  isOver = false;
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
    this.logs = program.sources.map(() => new Log());
  }

  /** Nothing is made before an item is asked for, and what is made ahead is bounded. */
  makes(log: Log): void {
    expect(this.isOver).toBe(false);
    expect(this.asked).toBeGreaterThan(0);
    log.made++;
    const made = this.logs.reduce((sum, { made }) => sum + made, 0);
    expect(made).toBeLessThanOrEqual(this.asked + this.#program.capacity + this.logs.length);
  }

  sourceOf(plan: Plan, source: number): AsyncIterable<Item> | Iterable<Item> {
    const log = this.logs[source] as Log;
    if (plan.kind === "sync") return this.#sync(plan, source, log);
    if (plan.kind === "generator") return this.#generator(plan, source, log);
    if (plan.kind === "generate()") return generate(() => this.#generator(plan, source, log));
    const items = this.#generator(plan, source, log);
    const next = async () => {
      try {
        const result = await items.next();
        if (result.done) log.isOver = true;
        return result;
      } catch (error) {
        log.isOver = true;
        throw error;
      }
    };
    const end = () => {
      log.returns++;
      return items.return(undefined);
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
  }

  #throw(error: unknown): never {
    this.thrown.add(error);
    throw error;
  }

  async *#generator({ items, end, cleanup }: Plan, source: number, log: Log): AsyncGenerator<Item, undefined> {
    log.entered++;
    try {
      for (const [n, wait] of items.entries()) {
        if (wait !== undefined) await (wait === 0 ? checkpoint() : sleep(wait));
        this.makes(log);
        yield { source, n };
      }
      if (end === "wait") await sleep(5);
      if (end === "throw" && cleanup !== "throw") this.#throw(`end of ${source}`);
    } finally {
      if (cleanup === "wait") await shield(() => sleep(2));
      log.cleanedUp++;
      expect(this.isOver).toBe(false);
      if (cleanup === "throw") this.#throw(`cleanup of ${source}`);
    }
    return undefined;
  }

  *#sync({ items, end, cleanup }: Plan, source: number, log: Log): Generator<Item> {
    log.entered++;
    try {
      for (const n of items.keys()) {
        this.makes(log);
        yield { source, n };
      }
      if (end === "throw" && cleanup !== "throw") this.#throw(`end of ${source}`);
    } finally {
      log.cleanedUp++;
      if (cleanup === "throw") this.#throw(`cleanup of ${source}`);
    }
  }
}

async function consume(run: Run, program: Program): Promise<"exhausted" | "left"> {
  const merged = merge(
    program.sources.map((plan, i) => run.sourceOf(plan, i)),
    { capacity: program.capacity },
  );
  if (program.leaves === "close") {
    for (let i = 0; i < program.takes; i++) {
      run.asked++;
      const result = await merged[Symbol.asyncIterator]().next();
      if (result.done) return "exhausted";
      run.received.push(result.value);
      await sleep(program.pause);
    }
    await merged.close();
    return "left";
  }
  run.asked++;
  for await (const item of merged) {
    run.received.push(item);
    if (run.received.length >= program.takes) {
      if (program.leaves === "throw") {
        run.thrown.add(inLoop);
        throw inLoop;
      }
      return "left";
    }
    await sleep(program.pause);
    run.asked++;
  }
  return "exhausted";
}

async function check(program: Program, schedule: number): Promise<void> {
  const run = new Run(program);
  let how: "exhausted" | "left" | undefined;
  let outcome: unknown;
  const scope = new CancelScope(program.cancelledAt === undefined ? {} : { timeout: program.cancelledAt });
  await simulate(
    async () => {
      try {
        await scope.run(() =>
          openNursery(async () => {
            how = await consume(run, program);
          }),
        );
      } catch (error) {
        outcome = error;
      }
      run.isOver = true;
    },
    { pick: pickOf(schedule) },
  );
  const { logs, thrown, received } = run;
  for (const [source, log] of logs.entries()) {
    // In the order of its source, none doubled, none lost before one that came.
    const ofSource = received.filter((item) => item.source === source).map(({ n }) => n);
    expect(ofSource).toEqual([...ofSource.keys()]);
    expect(ofSource.length).toBeLessThanOrEqual(log.made);
    expect(log.cleanedUp).toBe(log.entered);
    expect(log.entered).toBeLessThanOrEqual(1);
    if (program.sources[source]?.kind === "iterator") {
      // It was asked for items, or closed, and never both ended by itself and was closed, unless that came at the same time.
      expect(log.returns).toBeLessThanOrEqual(1);
      if (run.asked > 0 && !log.isOver) expect(log.returns).toBe(1);
      if (how === "exhausted") expect(log.returns).toBe(0);
    }
  }
  if (how === "exhausted") expect(received).toHaveLength(program.sources.reduce((sum, { items }) => sum + items.length, 0));
  // No error is lost, none is told twice, and none is told that was not thrown.
  const told = outcome === undefined ? [] : leaves(outcome);
  expect([...told].sort()).toEqual([...thrown].sort());
}

test("whatever the sources and their consumer do, in any order of wake-ups: no item and no error is lost, and all sources are closed once", async () => {
  await fc.assert(fc.asyncProperty(programs, schedules(), check), { numRuns: 2_000 });
});
