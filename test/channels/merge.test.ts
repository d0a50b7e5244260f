import { describe, expect, expectTypeOf, test } from "vitest";
import {
  CancelScope,
  type CapacityLimiter,
  checkpoint,
  ErrorGroup,
  type Generated,
  generate,
  merge,
  moveOnAfter,
  now,
  openMemoryChannel,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

async function* ticks(name: string, every: number, count = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
  for (let i = 1; i <= count; i++) {
    await sleep(every);
    yield `${name}${i}`;
  }
}

async function* list<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** An iterable that is no generator, and the calls of its `return()`. */
function watched<T>(items: AsyncIterator<T>): AsyncIterable<T> & { returns: number } {
  const source = {
    returns: 0,
    [Symbol.asyncIterator]: () => ({
      next: () => items.next(),
      return: async (): Promise<IteratorResult<T>> => {
        source.returns++;
        await items.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
  return source;
}

describe("items", () => {
  test("come as they are made, those of a source in their order, until all sources have ended", async () => {
    await simulate(async () => {
      expect(await listOf(merge([ticks("a", 10, 3), ticks("b", 15, 2)]))).toEqual(["a1", "b1", "a2", "b2", "a3"]);
      expect(now()).toBe(30);
    });
  });

  test("of sources that need no wait come in turn", async () => {
    await simulate(async () => {
      expect(await listOf(merge([list(1, 2, 3), list("a", "b", "c")]))).toEqual([1, "a", 2, "b", 3, "c"]);
    });
  });

  test("of nothing: the end", async () => {
    await simulate(async () => {
      expect(await listOf(merge([]))).toEqual([]);
      expect(await listOf(merge({}))).toEqual([]);
      expect(await listOf(merge([[], list(), new Set<number>()]))).toEqual([]);
      await merge([]).close();
    });
  });

  test("come from channels, from generate(), from another merge(), and from what is not asynchronous", async () => {
    await simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<string>(0);
      nursery.startSoon(async () => {
        using end = send;
        for (const item of ["x", "y"]) await end.send(item);
      });
      const all = await listOf(merge([receive, generate(() => list(1, 2)), merge([list(3), [4]]), new Set([5]), [Promise.resolve(6)]]));
      expect(new Set(all)).toEqual(new Set(["x", "y", 1, 2, 3, 4, 5, 6]));
      expect(all).toHaveLength(8);
    });
  });

  test("are named after their sources, if those have names", async () => {
    await simulate(async () => {
      const all = await listOf(merge({ numbers: list(1, 2), letters: ["a"] }));
      expect(all).toEqual([
        { key: "numbers", value: 1 },
        { key: "letters", value: "a" },
        { key: "numbers", value: 2 },
      ]);
    });
  });

  test("may be received by several tasks", async () => {
    await simulate(async () => {
      const merged = merge([ticks("a", 10, 2), ticks("b", 15, 2)]);
      const got: string[] = [];
      await openNursery((nursery) => {
        for (let i = 0; i < 4; i++) nursery.startSoon(async () => got.push(await merged.receive()));
      });
      expect(got).toEqual(["a1", "b1", "a2", "b2"]);
      expect(await rejectionOf(merged.receive())).toMatchObject({ name: "EndOfChannel" });
    });
  });

  test("undefined is one", async () => {
    await simulate(async () => {
      expect(await listOf(merge([list(undefined, 1), [undefined]]))).toEqual([undefined, undefined, 1]);
    });
  });
});

describe("what is made ahead", () => {
  /** A source that counts what it has made. */
  function counted(): { readonly made: number; readonly items: AsyncGenerator<number> } {
    const counter: { made: number; items: AsyncGenerator<number> } = { made: 0, items: make() };
    async function* make(): AsyncGenerator<number> {
      for (;;) yield ++counter.made;
    }
    return counter;
  }

  test("nothing, before an item is asked for", async () => {
    await simulate(async () => {
      const one = counted();
      const merged = merge([one.items], { capacity: 5 });
      await sleep(10);
      expect(one.made).toBe(0);
      await merged.receive();
      await merged.close();
    });
  });

  test("one of each source at most, by default", async () => {
    await simulate(async () => {
      const sources = [counted(), counted(), counted()];
      const merged = merge(sources.map(({ items }) => items));
      const made = () => sources.map((source) => source.made);
      expect(await merged.receive()).toBe(1);
      await sleep(10);
      expect(made()).toEqual([1, 1, 1]);
      // What has been made is there at once, and nobody is asked for it.
      await merged.receive();
      await merged.receive();
      await sleep(10);
      expect(made()).toEqual([1, 1, 1]);
      await merged.receive();
      await sleep(10);
      expect(made()).toEqual([2, 2, 2]);
      await merged.close();
    });
  });

  test("and as many more as the capacity says", async () => {
    await simulate(async () => {
      const sources = [counted(), counted()];
      const merged = merge(
        sources.map(({ items }) => items),
        { capacity: 3 },
      );
      const made = () => sources.reduce((sum, source) => sum + source.made, 0);
      for (let received = 1; received <= 10; received++) {
        await merged.receive();
        await sleep(10);
        expect(made()).toBeGreaterThanOrEqual(received + 3);
        expect(made()).toBeLessThanOrEqual(received + 3 + 2);
      }
      await merged.close();
    });
  });

  test("what waits for room gets it before what is made later", async () => {
    await simulate(async () => {
      const merged = merge([list(1, 2, 3, 4), list("a", "b", "c", "d")], { capacity: 1 });
      const seen: unknown[] = [];
      for await (const item of merged) {
        seen.push(item);
        await sleep(1);
      }
      expect(seen).toEqual([1, "a", 2, "b", 3, "c", 4, "d"]);
    });
  });

  test("is not received any more after a cancellation", async () => {
    await simulate(async () => {
      const owner = new CancelScope();
      await owner.run(async () => {
        const merged = merge([list(1, 2, 3, 4, 5, 6)], { capacity: 3 });
        expect(await merged.receive()).toBe(1);
        await sleep(1);
        owner.cancel();
        await shield(async () => {
          await sleep(1);
          expect(await rejectionOf(merged.receive())).toMatchObject({ name: "TaskCancelledError" });
        });
      });
    });
  });

  test("is not kept alive after it was closed", async () => {
    await run(async () => {
      const refs: WeakRef<object>[] = [];
      function* objects() {
        for (let i = 0; i < 4; i++) {
          const object = { i };
          refs.push(new WeakRef(object));
          yield object;
        }
      }
      const merged = merge([objects()], { capacity: 3 });
      await merged.receive();
      // Made ahead, as many as there is room for: however long that takes in real time.
      while (refs.length < 4) await sleep(1);
      await merged.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
      globalThis.gc?.();
      expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
      expect(await rejectionOf(merged.receive())).toMatchObject({ name: "ClosedResourceError" });
    });
  });

  test("with room in the buffer a source goes on, though others are not ready", async () => {
    await simulate(async () => {
      const one = counted();
      const merged = merge([one.items, ticks("late", 1000)], { capacity: 2 });
      for (let i = 1; i <= 10; i++) {
        expect(await merged.receive()).toBe(i);
        await sleep(1);
      }
      await merged.close();
    });
  });

  test("without a bound a source that waits for nothing starves nobody", async () => {
    await run(async () => {
      let hasTurned = false;
      setTimeout(() => {
        hasTurned = true;
      }, 5);
      function* endless() {
        for (let i = 0; ; i++) yield i;
      }
      const merged = merge([endless()], { capacity: Number.POSITIVE_INFINITY });
      await merged.receive();
      while (!hasTurned) await checkpoint();
      await merged.close();
    });
  });
});

describe("leaving the loop", () => {
  test("closes all sources, side by side, and waits for them", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* slow(name: string, time: number) {
        try {
          yield name;
          await sleepForever();
        } finally {
          await shield(() => sleep(time));
          log.push(`${name} closed at ${now()}`);
        }
      }
      for await (const _ of merge([slow("a", 20), slow("b", 10)])) break;
      expect([log, now()]).toEqual([["b closed at 10", "a closed at 20"], 20]);
    });
  });

  test("calls return() of each source once, unless it has ended by itself", async () => {
    await simulate(async () => {
      const sources = [watched(ticks("a", 10)), watched(ticks("b", 10)), watched(list("c")), watched(ticks("d", 1000))];
      for await (const item of merge(sources)) if (item === "b2") break;
      expect(sources.map(({ returns }) => returns)).toEqual([1, 1, 0, 1]);
    });
  });

  test("by a throw, a cancellation, close(), or by leaving the scope that it belongs to: the same", async () => {
    const ways: ((merged: Generated<string>) => Promise<unknown>)[] = [
      async (merged) => {
        const loop = async () => {
          for await (const _ of merged) throw new Error("boom");
        };
        await rejectionOf(loop());
      },
      (merged) => moveOnAfter(25, () => listOf(merged)),
      async (merged) => {
        await merged.receive();
        await merged.close();
      },
      (merged) => merged.receive(),
    ];
    for (const leave of ways) {
      await simulate(async () => {
        const sources = [watched(ticks("a", 10)), watched(ticks("b", 100))];
        await new CancelScope().run(async () => {
          await leave(merge(sources));
        });
        expect(sources.map(({ returns }) => returns)).toEqual([1, 1]);
      });
    }
  });

  test("closes them also if nothing was ever asked for; without a close they are left alone", async () => {
    await simulate(async () => {
      const sources = [watched(ticks("a", 10)), watched(ticks("b", 10))];
      await merge(sources).close();
      expect(sources.map(({ returns }) => returns)).toEqual([1, 1]);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await listOf(merge(sources));
      });
      expect(sources.map(({ returns }) => returns)).toEqual([2, 2]);
      let merged: Generated<string> | undefined;
      await new CancelScope().run(() => {
        merged = merge(sources);
      });
      expect(sources.map(({ returns }) => returns)).toEqual([2, 2]);
      await (merged as Generated<string>).close();
      expect(sources.map(({ returns }) => returns)).toEqual([2, 2]);
    });
  });
});

describe("failures", () => {
  const boom = new Error("boom");

  async function* failing(time: number, error: unknown = boom): AsyncGenerator<string> {
    yield "about to fail";
    await sleep(time);
    throw error;
  }

  test("the first closes the other sources, then rejects as it is", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* other() {
        try {
          yield "other";
          await sleepForever();
        } finally {
          await shield(() => sleep(10));
          log.push(`closed at ${now()}`);
        }
      }
      const merged = merge([failing(5), other()]);
      expect(await merged.receive()).toBe("about to fail");
      expect(await merged.receive()).toBe("other");
      expect([await rejectionOf(merged.receive()), log, now()]).toEqual([boom, ["closed at 15"], 15]);
      expect(await rejectionOf(merged.receive())).toMatchObject({ name: "EndOfChannel" });
    });
  });

  test("calls return() of those that wait for an item", async () => {
    await simulate(async () => {
      let end = () => {};
      const stuck = watched({
        next: () => new Promise<IteratorResult<string>>((resolve) => (end = () => resolve({ done: true, value: undefined }))),
        return: async () => {
          end();
          return { done: true, value: undefined };
        },
      });
      expect(await rejectionOf(listOf(merge([failing(5), stuck])))).toBe(boom);
      expect([stuck.returns, now()]).toEqual([1, 5]);
    });
  });

  test("several come in a group, in order of occurrence", async () => {
    await simulate(async () => {
      const second = new Error("second");
      async function* alsoFailing() {
        try {
          yield "other";
          await sleepForever();
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what is tested
          throw second;
        }
      }
      const error = await rejectionAs(ErrorGroup, listOf(merge([alsoFailing(), failing(5)])));
      expect(error.errors).toEqual([boom, second]);
      expect(error.message).toBe("2 errors in root > merge (Error: boom; Error: second)");
    });
  });

  test("those of closing are kept as those of a generate() are", async () => {
    await simulate(async () => {
      const second = new Error("second");
      const failingToClose = (error: unknown) =>
        generate(async function* () {
          try {
            yield 1;
          } finally {
            // biome-ignore lint/correctness/noUnsafeFinally: what is tested
            throw error;
          }
        });
      const ofBoth = openNursery(async () => {
        for await (const _ of merge([failingToClose(boom), failingToClose(second)])) if (now() === 0) throw new Error("loop");
      });
      expect((await rejectionAs(ErrorGroup, ofBoth)).leaves()).toEqual([new Error("loop"), boom, second]);
    });
  });

  test("what had been made and not received by then is dropped", async () => {
    await simulate(async () => {
      const merged = merge([list(1, 2, 3), failing(5)], { capacity: 10 });
      expect(await merged.receive()).toBe(1);
      await sleep(10);
      expect(await rejectionOf(merged.receive())).toBe(boom);
      expect(await rejectionOf(merged.receive())).toMatchObject({ name: "EndOfChannel" });
    });
  });

  test("what had been made when the sources have ended is not", async () => {
    await simulate(async () => {
      const merged = merge([list(1, 2, 3)], { capacity: 10 });
      expect(await merged.receive()).toBe(1);
      await sleep(10);
      expect(await listOf(merged)).toEqual([2, 3]);
    });
  });

  test("a source that cannot be opened is one", async () => {
    await simulate(async () => {
      const source = watched(ticks("a", 10));
      const broken: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => {
          throw boom;
        },
      };
      expect(await rejectionOf(listOf(merge([source, broken])))).toBe(boom);
      expect(source.returns).toBe(1);
    });
  });

  test("an item that is a rejected promise, of a source that is not asynchronous, is one", async () => {
    await simulate(async () => {
      const rejected = Promise.reject(boom);
      rejected.catch(() => {});
      expect(await rejectionOf(listOf(merge([[1, rejected]])))).toBe(boom);
    });
  });
});

describe("what it takes", () => {
  test("a scope, as one of the options or in their place", async () => {
    await simulate(
      async (root) => {
        const scope = new CancelScope();
        await scope.run(async () => {
          expect(await listOf(merge([[1]], scope))).toEqual([1]);
          expect(await listOf(merge({ a: [1] }, { capacity: 1, signal: scope.signal }))).toEqual([{ key: "a", value: 1 }]);
        }, root);
        expect(thrownBy(() => merge([[1]]))).toMatchObject({ name: "MissingScopeError" });
        expect(thrownBy(() => merge([[1]], scope))).toMatchObject({
          name: "ScopeEndedError",
          message: expect.stringContaining("merge() was called in it"),
        });
      },
      { ambient: false },
    );
  });

  test("what is wrong is told at the call", async () => {
    await simulate(async () => {
      const wrong = (sources: unknown, options?: object) => thrownBy(() => merge(sources as Iterable<number[]>, options));
      const expected = "merge() takes a list of iterables, as [clicks, keys], or an object that names them, not ";
      expect(wrong(list(1))).toMatchObject({ name: "TypeError", message: `${expected}an object` });
      expect(wrong(undefined)).toMatchObject({ name: "TypeError", message: `${expected}undefined` });
      expect(wrong(null)).toMatchObject({ name: "TypeError", message: `${expected}null` });
      expect(wrong("text")).toMatchObject({ name: "TypeError", message: `${expected}"text"` });
      expect(wrong([[1], 2])).toMatchObject({ name: "TypeError", message: "source#2 of merge() is 2, which is no iterable" });
      expect(wrong([undefined])).toMatchObject({ name: "TypeError", message: "source#1 of merge() is undefined, which is no iterable" });
      expect(wrong({ jobs: {} })).toMatchObject({ name: "TypeError", message: "jobs of merge() is an object, which is no iterable" });
      expect(wrong([], { capacity: -1 })).toMatchObject({
        name: "RangeError",
        message: "the capacity of merge() is a whole number that is not negative, or Infinity, not -1",
      });
      expect(wrong([], { capacity: "1" })).toMatchObject({ name: "TypeError" });
    });
  });

  test("types", () => {
    const check = () => {
      expectTypeOf(merge([list(1), list("a")])).toEqualTypeOf<Generated<number | string>>();
      expectTypeOf(merge([[Promise.resolve(1)], generate(() => list("a"))])).toEqualTypeOf<Generated<number | string>>();
      expectTypeOf(merge({ n: list(1), s: ["a"] })).toEqualTypeOf<
        Generated<{ readonly key: "n"; readonly value: number } | { readonly key: "s"; readonly value: string }>
      >();
      expectTypeOf(merge([openMemoryChannel<CapacityLimiter>(1).receive])).toEqualTypeOf<Generated<CapacityLimiter>>();
      // @ts-expect-error a generator is no list of iterables
      merge(list(1));
      // @ts-expect-error a number is no iterable
      merge([1]);
    };
    expect(check).toBeTypeOf("function");
  });

  test("ten thousand sources", async () => {
    await run(async () => {
      let sum = 0;
      for await (const item of merge(Array.from({ length: 10_000 }, (_, i) => list(i)))) sum += item;
      expect(sum).toBe(49_995_000);
    });
  });
});
