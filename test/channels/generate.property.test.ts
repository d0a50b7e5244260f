import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, checkpoint, type Generated, generate, isCancellation, leaves, openNursery, shield, sleep } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** A random generator, and random consumers of it. Times are small, so that many things meet. */
interface Program {
  /** How long each item takes; `undefined`: it is yielded without a wait. */
  readonly items: readonly (number | undefined)[];
  readonly end: "return" | "throw";
  readonly cleanup: "none" | "wait" | "throw";
  readonly consumers: readonly Consumer[];
  /** When somebody closes it, and when the scope is cancelled that it belongs to. */
  readonly closedAt: number | undefined;
  readonly cancelledAt: number | undefined;
}

interface Consumer {
  readonly how: "loop" | "guest" | "receive";
  readonly arrives: number;
  /** How many items it takes before it leaves. */
  readonly takes: number;
  readonly pause: number;
  readonly leaves: "break" | "throw";
  readonly cancelledAt: number | undefined;
}

const sometimes = fc.option(fc.nat({ max: 12 }), { nil: undefined, freq: 2 });

const programs: fc.Arbitrary<Program> = fc.record({
  items: fc.array(fc.option(fc.nat({ max: 3 }), { nil: undefined }), { maxLength: 6 }),
  end: fc.constantFrom("return", "throw"),
  cleanup: fc.constantFrom("none", "wait", "throw"),
  consumers: fc.array(
    fc.record({
      how: fc.constantFrom("loop", "guest", "receive"),
      arrives: fc.nat({ max: 4 }),
      takes: fc.nat({ max: 5 }),
      pause: fc.nat({ max: 3 }),
      leaves: fc.constantFrom("break", "throw"),
      cancelledAt: sometimes,
    }),
    { minLength: 1, maxLength: 4 },
  ),
  closedAt: sometimes,
  cancelledAt: sometimes,
});

const inGenerator = new Error("in the generator");
const inCleanup = new Error("in its cleanup");
const inLoop = new Error("in a loop");

/** What has happened, as the program itself sees it. */
class Record {
  entered = 0;
  cleanedUp = 0;
  isOwnerOver = false;
  asked = 0;
  withdrawn = 0;
  yielded = 0;
  readonly received: number[] = [];
  readonly thrown = new Set<unknown>();
  /** What consumers and closers were told. */
  readonly told: unknown[] = [];

  /** The generator runs: somebody wants more than there has been, and the scope that it belongs to is open. */
  runs(): void {
    expect(this.asked - this.withdrawn).toBeGreaterThan(this.yielded);
    expect(this.isOwnerOver).toBe(false);
    expect(this.cleanedUp).toBe(0);
  }
}

function generatorOf({ items, end, cleanup }: Program, record: Record): () => AsyncGenerator<number> {
  return async function* numbers() {
    record.entered++;
    try {
      record.runs();
      for (const [i, wait] of items.entries()) {
        if (wait !== undefined) await (wait === 0 ? checkpoint() : sleep(wait));
        record.yielded++;
        yield i;
        record.runs();
      }
      if (end === "throw") {
        record.thrown.add(inGenerator);
        throw inGenerator;
      }
    } finally {
      if (cleanup === "wait") await shield(() => sleep(2));
      expect(record.isOwnerOver).toBe(false);
      record.cleanedUp++;
      if (cleanup === "throw") {
        record.thrown.delete(inGenerator);
        record.thrown.add(inCleanup);
        // biome-ignore lint/correctness/noUnsafeFinally: what is tested
        throw inCleanup;
      }
    }
  };
}

async function consume(generated: Generated<number>, consumer: Consumer, record: Record): Promise<void> {
  const { how, takes, pause } = consumer;
  const seen: number[] = [];
  const iterator = generated.values({ preventCancel: how === "guest" });
  const ask = async <T>(receive: () => Promise<T>): Promise<T> => {
    record.asked++;
    try {
      return await receive();
    } catch (error) {
      if (isCancellation(error)) record.withdrawn++;
      throw error;
    }
  };
  try {
    if (how === "receive") {
      for (let i = 0; i < takes; i++) {
        await sleep(pause);
        seen.push(await ask(() => generated.receive()));
      }
    } else {
      const counting = {
        [Symbol.asyncIterator]: () => ({
          next: () => ask(() => iterator.next()),
          return: () => iterator.return?.() ?? expect.unreachable(),
        }),
      };
      for await (const item of counting) {
        seen.push(item);
        if (seen.length >= takes) {
          if (consumer.leaves === "throw") throw inLoop;
          break;
        }
        await sleep(pause);
      }
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    record.told.push(error);
  } finally {
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    record.received.push(...seen);
  }
}

const ENDS = ["ClosedResourceError", "EndOfChannel", "TaskCancelledError", "ScopeEndedError"];

async function check(program: Program, schedule: number): Promise<void> {
  const record = new Record();
  let generated: Generated<number> | undefined;
  const owner = new CancelScope(program.cancelledAt === undefined ? {} : { timeout: program.cancelledAt });
  let outcome: unknown;
  await simulate(
    async () => {
      try {
        await owner.run(() =>
          openNursery((nursery) => {
            const numbers = generate(generatorOf(program, record), owner);
            generated = numbers;
            for (const consumer of program.consumers) {
              nursery.startSoon(() =>
                new CancelScope(consumer.cancelledAt === undefined ? {} : { timeout: consumer.cancelledAt }).run(async () => {
                  await sleep(consumer.arrives);
                  await consume(numbers, consumer, record);
                }),
              );
            }
            if (program.closedAt !== undefined) {
              const { closedAt } = program;
              nursery.startSoon(async () => {
                await sleep(closedAt);
                await numbers.close().catch((error: unknown) => record.told.push(error));
              });
            }
          }),
        );
      } catch (error) {
        outcome = error;
      }
      record.isOwnerOver = true;
      for (let i = 0; i < 3; i++) {
        const late = await generated?.receive().catch((error: unknown) => error);
        expect(ENDS).toContain((late as Error).name);
      }
    },
    { pick: pickOf(schedule) },
  );
  const { entered, cleanedUp, yielded, received, thrown, told } = record;
  expect(entered).toBeLessThanOrEqual(1);
  expect(cleanedUp).toBe(entered);
  // Nothing is made up, doubled or lost, but for the last one, which nobody came for.
  received.sort((a, b) => a - b);
  expect(received).toEqual([...received.keys()]);
  expect(yielded - received.length).toBeGreaterThanOrEqual(0);
  expect(yielded - received.length).toBeLessThanOrEqual(1);
  // No error is lost, and none is told to the owner that was not thrown.
  const ofOwner = outcome === undefined ? [] : leaves(outcome);
  for (const error of thrown) expect([...told, ...ofOwner]).toContain(error);
  for (const error of ofOwner) expect([...thrown]).toContain(error);
  expect(new Set(ofOwner).size).toBe(ofOwner.length);
}

test("whoever asks, leaves, is cancelled and fails when, in any order of wake-ups: no item and no error is lost, and nothing is made ahead", async () => {
  await fc.assert(fc.asyncProperty(programs, schedules(), check), { numRuns: 2_000 });
});
