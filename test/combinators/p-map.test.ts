import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ErrorGroup,
  isCancellation,
  type MappedStream,
  map,
  mapStream,
  type Nursery,
  now,
  sleep,
  sleepForever,
  toPromise,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const pMapSkip = Symbol("skip");

interface Options {
  readonly concurrency?: number | undefined;
  readonly stopOnError?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Not of p-map: the nursery that owns the work. Without it, it is a run of its own. */
  readonly nursery?: Nursery | undefined;
}

type Input<T> = Iterable<T | Promise<T>> | AsyncIterable<T>;
type Mapper<T, R> = (element: T, index: number) => R | typeof pMapSkip | Promise<R | typeof pMapSkip>;

/** What p-map says it does, written with `map`. What is different is told by the tests, and in docs/combinators.md. */
async function pMap<T, R>(input: Input<T>, mapper: Mapper<T, R>, options: Options = {}): Promise<R[]> {
  const { concurrency, stopOnError = true, signal, nursery } = options;
  const errors: unknown[] = [];
  async function element(boxed: Boxed<T>, _scope: unknown, index: number): Promise<R | typeof pMapSkip> {
    try {
      return await mapper(await boxed.item, index);
    } catch (error) {
      if (stopOnError || isCancellation(error)) throw error;
      errors.push(error);
      return pMapSkip;
    }
  }
  const results = await toPromise(() => map(() => boxes(input), element, { concurrency }), { signal, nursery });
  if (errors.length > 0) throw new AggregateError(errors);
  return results.filter((result): result is Awaited<R> => result !== pMapSkip);
}

/** p-map awaits items that are promises. `map` refuses them, because what they stand for runs already; here that is what is asked for. */
interface Boxed<T> {
  readonly item: T | Promise<T>;
}

async function* boxes<T>(input: Input<T>): AsyncGenerator<Boxed<T>> {
  if (Symbol.asyncIterator in input) for await (const item of input) yield { item };
  else for (const item of input) yield { item };
}

/** As `pMapIterable`. */
function pMapIterable<T, R>(
  input: Input<T>,
  mapper: (element: T, index: number) => R | Promise<R>,
  { concurrency, backpressure = concurrency }: { readonly concurrency: number; readonly backpressure?: number },
): MappedStream<Awaited<R>> {
  const element = async ({ item }: Boxed<T>, _scope: unknown, index: number) => await mapper(await item, index);
  return mapStream(() => boxes(input), element, { concurrency, window: backpressure });
}

async function later<T>(value: T, ms = 10): Promise<T> {
  await sleep(ms);
  return value;
}

async function* asynchronously<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield await later(item, 1);
}

describe.each([
  { kind: "an iterable", of: <T>(items: readonly T[]): Input<T> => new Set(items) },
  { kind: "an async iterable", of: <T>(items: readonly T[]): Input<T> => asynchronously(items) },
])("pMap() of $kind", ({ of }) => {
  test("resolves to what the mapper returns, in the order of the elements, whichever is done first", async () => {
    await simulate(async (nursery) => {
      const done: number[] = [];
      const mapper = async (ms: number) => {
        await sleep(ms);
        done.push(ms);
        return -ms;
      };
      expect(await pMap(of([30, 10, 20]), mapper, { nursery })).toEqual([-30, -10, -20]);
      expect(done).toEqual([10, 20, 30]);
    });
  });

  test("of none resolves to an empty array, and calls nobody", async () => {
    await simulate(async (nursery) => {
      expect(await pMap(of<number>([]), () => expect.unreachable(), { nursery })).toEqual([]);
    });
  });

  test("passes the element and its index; the mapper may return a value, as well as a promise", async () => {
    await simulate(async (nursery) => {
      const mapper = (element: string, index: number) => (index % 2 === 0 ? `${element}${index}` : later(`${element}${index}`));
      expect(await pMap(of(["a", "b", "c"]), mapper, { concurrency: 2, nursery })).toEqual(["a0", "b1", "c2"]);
    });
  });

  test("leaves out what is skipped, wherever it is, also all of it", async () => {
    await simulate(async (nursery) => {
      const odd = (element: number) => later(element % 2 === 1 ? element : pMapSkip, 10 - element);
      expect(await pMap(of([1, 2, 3, 4, 6, 7]), odd, { nursery })).toEqual([1, 3, 7]);
      expect(await pMap(of([2, 4]), odd, { nursery })).toEqual([]);
    });
  });

  test("with stopOnError rejects with the very error, and begins nothing after it", async () => {
    await simulate(async (nursery) => {
      const broken = new Error("broken");
      const begun: number[] = [];
      const mapper = async (element: number) => {
        begun.push(element);
        await sleep(10);
        if (element === 2) throw broken;
      };
      expect(await rejectionOf(pMap(of([1, 2, 3, 4, 5, 6]), mapper, { concurrency: 1, nursery }))).toBe(broken);
      expect(begun).toEqual([1, 2]);
    });
  });

  test("without stopOnError works on all, and rejects with an AggregateError of all errors", async () => {
    await simulate(async (nursery) => {
      const begun: number[] = [];
      const mapper = async (element: number) => {
        begun.push(element);
        await sleep(element * 10);
        if (element % 2 === 0) throw `no ${element}`;
        return element;
      };
      const error = await rejectionAs(AggregateError, pMap(of([4, 3, 2, 1]), mapper, { concurrency: 4, stopOnError: false, nursery }));
      expect(begun).toEqual([4, 3, 2, 1]);
      expect(error.errors).toEqual(["no 2", "no 4"]);
    });
  });

  test("rejects with what the source throws, and takes nothing after it", async () => {
    await simulate(async (nursery) => {
      const gone = new Error("the source has gone");
      async function* source() {
        yield* of([1, 2]);
        throw gone;
      }
      const seen: number[] = [];
      const failed = pMap(source(), (element) => void seen.push(element), { concurrency: 1, nursery });
      expect(await rejectionOf(failed)).toBe(gone);
      expect(seen).toEqual([1, 2]);
    });
  });

  test("when the signal is aborted, rejects with its reason", async () => {
    await simulate(async (nursery) => {
      const controller = new AbortController();
      nursery.startSoon(async () => {
        await sleep(15);
        controller.abort("enough");
      });
      const mapped = pMap(of([1, 2, 3]), () => sleepForever(), { concurrency: 2, signal: controller.signal, nursery });
      expect(await rejectionOf(mapped)).toBe("enough");
      expect(now()).toBe(15);
    });
  });

  test("with a signal that is aborted already, rejects with its reason and calls nobody", async () => {
    await simulate(async (nursery) => {
      const options = { signal: AbortSignal.abort("too late"), nursery };
      expect(await rejectionOf(pMap(of([1, 2]), () => expect.unreachable(), options))).toBe("too late");
    });
  });
});

describe("pMap()", () => {
  test("works as well where nothing of creche is around", async () => {
    expect(await pMap<number, number>([], (element) => element)).toEqual([]);
    expect(await pMap([3, Promise.resolve(4)], async (element) => element * 2, { concurrency: 1 })).toEqual([6, 8]);
    const controller = new AbortController();
    const aborting = () => {
      controller.abort("enough");
      return sleepForever();
    };
    const mapped = pMap([3], aborting, { signal: controller.signal });
    expect(await rejectionOf(mapped)).toBe("enough");
  });

  test("keeps as many mappers busy as it may, and never more", async () => {
    const plan = fc.record({
      durations: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }),
      concurrency: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(Number.POSITIVE_INFINITY)),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ durations, concurrency }) => {
        await simulate(async (nursery) => {
          let busy = 0;
          let most = 0;
          const mapper = async (ms: number, index: number) => {
            most = Math.max(most, ++busy);
            await sleep(ms);
            busy--;
            return `${index}: ${ms}`;
          };
          const expected = durations.map((ms, index) => `${index}: ${ms}`);
          expect(await pMap(durations, mapper, { concurrency, nursery })).toEqual(expected);
          expect(most).toBe(Math.min(concurrency, durations.length));
          expect(now()).toBe(timeFor(durations, concurrency));
        });
      }),
    );
  });

  test("awaits elements that are promises before the mapper is called, side by side", async () => {
    await simulate(async (nursery) => {
      const input = [later("a", 20), "b", later("c", 10)];
      const seen: unknown[] = [];
      const mapper = (element: string) => {
        seen.push(element);
        return element;
      };
      expect(await pMap(input, mapper, { nursery })).toEqual(["a", "b", "c"]);
      expect(seen).toEqual(["b", "c", "a"]);
      expect(now()).toBe(20);
      const rejected = sleep(10).then(() => Promise.reject("no element"));
      expect(await rejectionOf(pMap(["a", rejected], (element) => element, { nursery }))).toBe("no element");
    });
  });

  test("takes an element only when there is a place for it", async () => {
    await simulate(async (nursery) => {
      let taken = 0;
      function* endless() {
        for (;;) yield ++taken;
      }
      const lead: number[] = [];
      const mapper = async (element: number) => {
        await sleep(10);
        lead.push(taken - element);
        if (element === 7) throw "seven";
      };
      expect(await rejectionOf(pMap(endless(), mapper, { concurrency: 3, nursery }))).toBe("seven");
      expect(Math.max(...lead)).toBeLessThanOrEqual(3);
      expect(taken).toBeLessThanOrEqual(9);
    });
  });

  test("different: those that have begun are cancelled by a failure, and it rejects when they have ended", async () => {
    await simulate(async (nursery) => {
      const ends: string[] = [];
      const mapper = async (element: string) => {
        try {
          await sleep(element === "b" ? 10 : 1_000);
          throw "broken";
        } finally {
          ends.push(element);
        }
      };
      expect(await rejectionOf(pMap(["a", "b", "c"], mapper, { nursery }))).toBe("broken");
      expect(ends).toEqual(["b", "a", "c"]);
      expect(now()).toBe(10);
    });
  });

  test("different: if others fail while they are being cancelled, they are in a group, the first one first", async () => {
    await simulate(async (nursery) => {
      const mapper = async (element: number) => {
        try {
          await sleep(element * 10);
        } catch {
          throw `cleanup ${element}`;
        }
        throw `broken ${element}`;
      };
      const group = await rejectionAs(ErrorGroup, pMap([2, 1], mapper, { nursery }));
      expect(group.errors).toEqual(["broken 1", "cleanup 2"]);
    });
  });

  test("different: numbers that will not do are a RangeError, what is no number a TypeError", async () => {
    for (const concurrency of [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(
        await rejectionAs(
          RangeError,
          pMap([1], () => expect.unreachable(), { concurrency }),
        ),
      ).toMatchObject({
        message: `the concurrency of map() is a whole number from 1, or Infinity, not ${concurrency}`,
      });
    }
    for (const concurrency of ["1", null, {}] as never[]) {
      expect(await rejectionOf(pMap([1], () => expect.unreachable(), { concurrency }))).toBeInstanceOf(TypeError);
    }
  });

  test("a mapper that throws at once, or several that fail, leave no rejection behind that nobody handles", async () => {
    const seen = await unhandledDuring(async () => {
      for (const concurrency of [1, Number.POSITIVE_INFINITY]) {
        const failing = pMap([1, 2, 3], () => Promise.reject(new Error("broken")), { concurrency });
        await rejectionOf(failing);
        const throwing = pMap([1, 2, 3], () => {
          throw new Error("broken");
        });
        await rejectionOf(throwing);
      }
    });
    expect(seen).toEqual([]);
  });
});

describe("pMapIterable(), which is mapStream()", () => {
  test("streams results in the order of the elements, and is passed their index", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      const mapper = async (ms: number, index: number) => later([index, ms], ms);
      for await (const result of pMapIterable([30, 10, 20], mapper, { concurrency: 2 })) seen.push([...result, now()]);
      expect(seen).toEqual([
        [0, 30, 30],
        [1, 10, 30],
        [2, 20, 50],
      ]);
    });
  });

  test("of none is over at once", async () => {
    await simulate(async () => {
      for await (const result of pMapIterable([], () => expect.unreachable(), { concurrency: 1 })) expect.unreachable(String(result));
    });
  });

  test("does not call the mapper while too many results wait to be collected", async () => {
    await simulate(async () => {
      for (const [concurrency, backpressure] of [
        [1, 1],
        [2, 2],
        [2, 5],
        [3, 4],
      ] as const) {
        let called = 0;
        let collected = 0;
        let lead = 0;
        const mapper = () => {
          called++;
          lead = Math.max(lead, called - collected);
        };
        for await (const _ of pMapIterable(Array(20).fill(0), mapper, { concurrency, backpressure })) {
          collected++;
          await sleep(10);
        }
        expect(called).toBe(20);
        expect(lead).toBeGreaterThan(backpressure - 1);
        expect(lead).toBeLessThanOrEqual(backpressure + 1);
      }
    });
  });

  test("throws what the mapper throws, and takes nothing after it", async () => {
    await simulate(async () => {
      const seen: number[] = [];
      const mapper = async (element: number) => {
        if (element === 2) throw "broken";
        return element;
      };
      const reading = async () => {
        for await (const result of pMapIterable([1, 2, 3, 4], mapper, { concurrency: 1 })) seen.push(result);
      };
      expect(await rejectionOf(reading())).toBe("broken");
      expect(seen).toEqual([1]);
    });
  });

  test("different: leaving the loop ends what has begun", async () => {
    await simulate(async () => {
      let ended = 0;
      const mapper = async (element: number) => {
        try {
          return await later(element, element * 10);
        } finally {
          ended++;
        }
      };
      for await (const _ of pMapIterable([1, 100, 100], mapper, { concurrency: 3 })) break;
      expect(ended).toBe(3);
      expect(now()).toBe(10);
    });
  });
});

/** How long jobs take if so many are done at a time, each as soon as there is a place for it. */
function timeFor(durations: readonly number[], places: number): number {
  const free: number[] = Array(Math.min(places, durations.length)).fill(0);
  for (const ms of durations) {
    const first = free.indexOf(Math.min(...free));
    free[first] = (free[first] as number) + ms;
  }
  return Math.max(0, ...free);
}
