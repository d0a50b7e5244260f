import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  DeadlockError,
  EndOfChannel,
  ErrorGroup,
  type MappedStream,
  MissingScopeError,
  mapStream,
  moveOnAfter,
  now,
  openNursery,
  run,
  select,
  sleep,
  sleepForever,
  timeout,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, thrownBy, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { Resource } from "./jobs.js";

function* numbers(asked: { count: number } = { count: 0 }): Generator<number> {
  for (let i = 0; ; i++) {
    asked.count++;
    yield i;
  }
}

/** Takes as many milliseconds as the item says. */
const takes = async (ms: number, scope: CancelScope) => {
  await sleep(ms, scope);
  return ms;
};

async function collect<T>(stream: AsyncIterable<T>): Promise<[T, number][]> {
  const got: [T, number][] = [];
  for await (const each of stream) got.push([each, now()]);
  return got;
}

describe("mapStream()", () => {
  test("hands out results in the order of the items, or as they come; a larger window lets more go ahead", async () => {
    const items = [30, 10, 10, 10];
    await simulate(async () => {
      expect(await collect(mapStream(items, takes, { concurrency: 2 }))).toEqual([
        [30, 30],
        [10, 30],
        [10, 40],
        [10, 40],
      ]);
    });
    await simulate(async () => {
      expect(await collect(mapStream(items, takes, { concurrency: 2, window: 4 }))).toEqual([
        [30, 30],
        [10, 30],
        [10, 30],
        [10, 30],
      ]);
    });
    await simulate(async () => {
      expect(await collect(mapStream(items, takes, { concurrency: 2, order: "completed" }))).toEqual([
        [10, 10],
        [10, 20],
        [30, 30],
        [10, 30],
      ]);
    });
  });

  test("reads nothing before the first result is asked for, and no further than the window", async () => {
    await simulate(async () => {
      const asked = { count: 0 };
      const stream = mapStream(numbers(asked), (item) => item, { concurrency: 2, window: 5 });
      await sleep(10);
      expect(asked.count).toBe(0);
      expect(await stream.receive()).toBe(0);
      await sleep(10);
      expect(asked.count).toBe(6);
      expect(await stream.receive()).toBe(1);
      await sleep(10);
      expect(asked.count).toBe(7);
      await stream.close();
    });
  });

  test("serves those who ask at the same time in the order in which they asked", async () => {
    await simulate(async () => {
      const stream = mapStream([3, 1, 2], takes, { concurrency: 3, order: "completed" })[Symbol.asyncIterator]();
      const asked = [1, 2, 3, 4, 5].map(() => stream.next());
      expect(await Promise.all(asked)).toEqual([
        { done: false, value: 1 },
        { done: false, value: 2 },
        { done: false, value: 3 },
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });
  });

  test("several may receive from it, and it is a case of a select", async () => {
    await simulate(async (nursery) => {
      const stream = mapStream([30, 10, 20], takes, { concurrency: 3, order: "completed" });
      const seen: [string, number][] = [];
      for (const who of ["a", "b"]) nursery.startSoon(async () => seen.push([who, await stream.receive()]));
      await checkpoint();
      const chosen = await select({ late: timeout(100), result: stream.orEnd });
      expect([seen, chosen]).toEqual([
        [
          ["a", 10],
          ["b", 20],
        ],
        { key: "result", value: { done: false, value: 30 } },
      ]);
      expect(await select({ late: timeout(100), result: stream.orEnd })).toEqual({
        key: "result",
        value: { done: true, value: undefined },
      });
    });
  });

  test("a loop that leaves the rest to others does not close it", async () => {
    await simulate(async () => {
      const stream = mapStream(numbers(), (item) => item, { concurrency: 1 });
      for await (const item of stream.values({ preventCancel: true })) if (item === 1) break;
      expect(await stream.receive()).toBe(2);
      await stream.close();
    });
  });

  test("of no items is over at once", async () => {
    await simulate(async () => {
      expect(await collect(mapStream([], takes, { concurrency: 1 }))).toEqual([]);
      expect(await collect(mapStream(new Set<number>(), takes, { concurrency: 1 }))).toEqual([]);
    });
  });

  test("works where scopes are passed", async () => {
    await simulate(
      async (root) => {
        const got: number[] = [];
        for await (const each of mapStream(numbers(), (item, scope) => sleep(1, scope).then(() => item), { concurrency: 2 }, root)) {
          got.push(each);
          if (each === 3) break;
        }
        expect(got).toEqual([0, 1, 2, 3]);
      },
      { ambient: false },
    );
  });

  test("works in the async context in which it was made", async () => {
    const storage = new AsyncLocalStorage<string>();
    await run(async () => {
      const seen: (string | undefined)[] = [];
      const work = (item: number) => {
        seen.push(storage.getStore());
        return item;
      };
      const stream = storage.run("of the maker", () => mapStream([1, 2, 3], work, { concurrency: 1 }));
      await storage.run("of the reader", () => collect(stream));
      expect(seen).toEqual(["of the maker", "of the maker", "of the maker"]);
    });
  });

  test("leaving the loop cancels what is under way, waits for it, closes the source, and disposes what was not handed out", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const resources: Resource[] = [];
      async function* items(): AsyncGenerator<number> {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          await sleep(2);
          log.push(`closed at ${now()}`);
        }
      }
      const work = async (item: number, scope: CancelScope) => {
        try {
          await sleep(item, scope);
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(5));
          log.push(`ended ${item} at ${now()}`);
        }
        const resource = new Resource(item, false);
        resources.push(resource);
        return resource;
      };
      for await (const { of } of mapStream(items(), work, { concurrency: 3 })) if (of === 1) break;
      log.push(`left at ${now()}`);
      expect(log).toEqual(["ended 0 at 5", "ended 1 at 6", "ended 2 at 7", "ended 3 at 11", "closed at 13", "left at 13"]);
      expect(resources.map(({ of, disposals }) => [of, disposals])).toEqual([
        [0, 0],
        [1, 0],
        [2, 1],
      ]);
    });
  });

  test("a failure is thrown to whoever asks for the next result, after everything has ended", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      let isOver = false;
      const work = async (item: number, scope: CancelScope) => {
        if (item === 1) throw boom;
        await sleepForever(scope).catch(() => {});
        await new CancelScope({ shield: true }).run(() => sleep(5));
        isOver = true;
      };
      const stream = mapStream(numbers(), work, { concurrency: 2 });
      expect(await rejectionOf(stream.receive())).toBe(boom);
      expect([isOver, now()]).toEqual([true, 5]);
      expect(await collect(stream)).toEqual([]);
      expect(await rejectionOf(stream.receive())).toBeInstanceOf(EndOfChannel);
    });
  });

  test("several failures come as a group", async () => {
    await simulate(async () => {
      const [first, second] = [new Error("first"), new Error("second")];
      const work = async (item: number, scope: CancelScope) => {
        if (item === 1) throw first;
        await sleepForever(scope).catch(() => {});
        throw second;
      };
      const group = await rejectionAs(ErrorGroup, mapStream(numbers(), work, { concurrency: 2 }).receive());
      expect([group.errors, group.message]).toEqual([[first, second], "2 errors in root > mapStream (Error: first; Error: second)"]);
    });
  });

  test("an item that was cancelled by its own scope has no result, and that is a failure", async () => {
    await simulate(async () => {
      const work = async (_: number, scope: CancelScope) => {
        scope.cancel();
        await checkpoint();
      };
      expect(await rejectionOf(mapStream([1], work, { concurrency: 1 }).receive())).toMatchObject({
        name: "TaskCancelledError",
        task: "root > mapStream > work#1",
      });
    });
  });

  test("a failure that nobody asks for is one of the scope that it belongs to", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const scope = new CancelScope();
      const error = await rejectionOf(
        scope.run(async () => {
          const stream = mapStream([1, 2], (item) => (item === 2 ? Promise.reject(boom) : item), { concurrency: 1, window: 2 });
          await stream.receive();
          await sleep(1);
        }),
      );
      expect(error).toBe(boom);
    });
  });

  test("what goes wrong while it is being closed rejects a loop that is left by break, and is not lost if it is left by a throw", async () => {
    await simulate(async () => {
      const [boom, own] = [new Error("boom"), new Error("own")];
      function* items(): Generator<number> {
        try {
          yield* numbers();
        } finally {
          fail(boom);
        }
      }
      const left = new CancelScope();
      let caught: unknown;
      const error = await rejectionOf(
        left.run(async () => {
          try {
            for await (const _ of mapStream(items(), takes, { concurrency: 1 })) break;
          } catch (error) {
            caught = error;
            throw error;
          }
        }),
      );
      expect([caught, error]).toEqual([boom, boom]);
      const group = await rejectionAs(
        ErrorGroup,
        openNursery(async () => {
          for await (const _ of mapStream(items(), takes, { concurrency: 1 })) throw own;
        }),
      );
      expect(group.errors).toEqual([own, boom]);
      const heard = await rejectionOf(
        (async () => {
          await using stream = mapStream(items(), takes, { concurrency: 1 });
          await stream.receive();
        })(),
      );
      expect(heard).toBe(boom);
    });
  });

  test("a cancellation of whoever waits for a result closes it", async () => {
    await simulate(async () => {
      let isOver = false;
      const work = async (_: number, scope: CancelScope) => {
        try {
          await sleepForever(scope);
        } finally {
          isOver = true;
        }
      };
      const stream = mapStream([1], work, { concurrency: 1 });
      const scope = new CancelScope({ timeout: 5 });
      await scope.run(() => collect(stream));
      expect([scope.cancelledCaught, isOver]).toEqual([true, true]);
      expect(await rejectionOf(stream.receive())).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("a failure while it is being closed because of that wins over the cancellation", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const work = async (_: number, scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        throw boom;
      };
      const stream = mapStream([1], work, { concurrency: 1 });
      expect(await rejectionOf(moveOnAfter(5, () => collect(stream)))).toBe(boom);
    });
  });

  test("leaving the scope that it belongs to ends it, and nothing is reported", async () => {
    const unhandled = await unhandledDuring(async () => {
      await run(async () => {
        let isOver = false;
        const resource = new Resource(0, false);
        const asked: Promise<unknown>[] = [];
        await new CancelScope().run(async () => {
          const work = async (item: number, scope: CancelScope) => {
            if (item < 2) return resource;
            await sleepForever(scope).catch(() => {});
            isOver = true;
            return resource;
          };
          const stream = mapStream(numbers(), work, { concurrency: 1, window: 2 });
          await stream.receive();
          await sleep(1);
          asked.push(stream.receive(), stream.receive());
        });
        expect([isOver, resource.disposals]).toEqual([true, 1]);
        await Promise.allSettled(asked);
      });
    });
    expect(unhandled).toEqual([]);
  });

  test("idle, because nobody asks, it ends with its scope all the same", async () => {
    await simulate(async () => {
      const resources: Resource[] = [];
      const work = (item: number) => {
        const resource = new Resource(item, false);
        resources.push(resource);
        return resource;
      };
      await new CancelScope().run(async () => {
        const endless = mapStream(numbers(), work, { concurrency: 2 });
        await endless.receive();
        const whole = mapStream([10, 11], work, { concurrency: 2 });
        await whole.receive();
        await sleep(1);
      });
      const disposed = resources.map(({ of, disposals }) => [of, disposals] as const).sort(([a], [b]) => a - b);
      expect(disposed).toEqual([
        [0, 0],
        [1, 1],
        [2, 1],
        [10, 0],
        [11, 1],
      ]);
    });
  });

  test("cancelled with its scope, it is an error for whoever reads elsewhere, and asks", async () => {
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      let stream: MappedStream<number> | undefined;
      const owner = scope.run(async () => {
        stream = mapStream(numbers(), takes, { concurrency: 1 });
        await sleepForever();
      });
      await checkpoint();
      expect(await stream?.receive()).toBe(0);
      await sleep(20);
      nursery.startSoon(async () => {
        await sleep(1);
        scope.cancel("enough");
      });
      await stream?.receive();
      const error = await rejectionOf(
        (async () => {
          for (;;) await stream?.receive();
        })(),
      );
      expect(error).toMatchObject({
        name: "TaskCancelledError",
        task: "root > mapStream",
        message:
          'root > mapStream was cancelled (AbortError: cancelled: cancel() was called on root > scope: "enough"), so there are no more items of it',
      });
      await owner;
    });
  });

  test("is closed once, however often", async () => {
    await simulate(async () => {
      let closed = 0;
      function* items(): Generator<number> {
        try {
          yield* numbers();
        } finally {
          closed++;
        }
      }
      const stream = mapStream(items(), takes, { concurrency: 1 });
      const loop = stream[Symbol.asyncIterator]();
      await loop.next();
      const closing = [loop.return?.(), stream.close(), loop.return?.(), stream[Symbol.asyncDispose]()];
      const end = { done: true, value: undefined };
      expect(await Promise.all(closing)).toEqual([end, undefined, end, undefined]);
      expect(await loop.next()).toEqual(end);
      expect(closed).toBe(1);
      const untouched = mapStream(items(), takes, { concurrency: 1 });
      await untouched.close();
      expect(await rejectionOf(untouched.receive())).toBeInstanceOf(ClosedResourceError);
      expect(closed).toBe(1);
    });
  });

  test("those who wait for a result when it is closed are told so", async () => {
    await simulate(async () => {
      const stream = mapStream([1], (_, scope) => sleepForever(scope), { concurrency: 1 });
      const waiting = rejectionOf(stream.receive());
      await sleep(1);
      await stream.close();
      expect(await waiting).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("closed from inside of its own functions it does not wait for itself", async () => {
    await simulate(async () => {
      const stream = mapStream(
        [1],
        async () => {
          await stream.close();
          await checkpoint();
        },
        { concurrency: 1 },
      );
      expect(await rejectionOf(stream.receive())).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("is cancelled by a foreign signal, and lets go of it", async () => {
    await run(async () => {
      const controller = new AbortController();
      const stream = mapStream(numbers(), takes, { concurrency: 1, signal: controller.signal });
      expect(await stream.receive()).toBe(0);
      expect(await stream.receive()).toBe(1);
      controller.abort("enough");
      expect(await rejectionOf(stream.receive())).toMatchObject({ name: "TaskCancelledError", cause: { kind: "signal", cause: "enough" } });
    });
  });

  test("outside of every scope, and in one that has ended, it is refused", async () => {
    expect(thrownBy(() => mapStream([1], takes, { concurrency: 1 }))).toBeInstanceOf(MissingScopeError);
    expect(thrownBy(() => mapStream([1], takes, { concurrency: 1, signal: new AbortController().signal }))).toMatchObject({
      name: "UsageError",
      message: "mapStream() belongs to the scope it is called in, and there is none, only a signal: call it inside run()",
    });
    await simulate(async () => {
      let stream: MappedStream<number> | undefined;
      const scope = new CancelScope({ name: "ended" });
      await scope.run(async () => {
        stream = mapStream([1], takes, { concurrency: 1 });
      });
      expect(thrownBy(() => mapStream([1], takes, { concurrency: 1 }, scope))).toMatchObject({
        name: "ScopeEndedError",
        message: expect.stringContaining("the scope root > ended has ended: mapStream() was called in it"),
      });
      expect(await rejectionOf(stream?.receive() as Promise<unknown>)).toMatchObject({
        name: "ScopeEndedError",
        message: expect.stringContaining("items were wanted of what mapStream() had made in it"),
      });
    });
  });

  test("a cancelled reader gets no result, and the stream that it had not begun is closed", async () => {
    await simulate(async () => {
      const stream = mapStream([1], takes, { concurrency: 1 });
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await rejectionOf(collect(stream))).toBeInstanceOf(Cancelled);
      });
      expect(await rejectionOf(stream.receive())).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("says in a deadlock what waits for what", async () => {
    const error = await rejectionAs(
      DeadlockError,
      simulate(async () => {
        await collect(
          mapStream(numbers(), async (item, scope) => (item === 0 ? sleepForever(scope) : item), { concurrency: 1, window: 2 }),
        );
      }),
    );
    expect(error.waiting.map(({ task, op }) => [task, op])).toEqual([
      ["main", "receive"],
      ["root > mapStream > source", "wait to be asked"],
      ["root > mapStream > item#1", "sleep"],
    ]);
  });

  test.each([
    [
      undefined,
      TypeError,
      "mapStream() takes { concurrency }: how many items are worked on at a time, and, by default, how many results are kept",
    ],
    [
      {},
      TypeError,
      "mapStream() takes { concurrency }: how many items are worked on at a time, and, by default, how many results are kept",
    ],
    [
      null,
      TypeError,
      "mapStream() takes { concurrency }: how many items are worked on at a time, and, by default, how many results are kept",
    ],
    [{ concurrency: 0 }, RangeError, "the concurrency of mapStream() is a whole number from 1, or Infinity, not 0"],
    [{ concurrency: 1, window: 0.5 }, RangeError, "the window of mapStream() is a whole number from 1, or Infinity, not 0.5"],
    [{ concurrency: 3, window: 2 }, RangeError, "the window of mapStream() is not below its concurrency, which is 3, not 2"],
    [{ concurrency: 1, order: "random" }, TypeError, 'the order of mapStream() is "input" or "completed", not "random"'],
  ])("refuses %o", async (options, type, message) => {
    await simulate(async () => {
      const error = thrownBy(() => mapStream([1], takes, options as never));
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject({ message });
    });
  });

  test("refuses what is no function, or no source", async () => {
    await simulate(async () => {
      expect(thrownBy(() => mapStream([1], 2 as never, { concurrency: 1 }))).toMatchObject({
        message: "mapStream() takes a function, not 2",
      });
      expect(await rejectionOf(mapStream(1 as never, takes, { concurrency: 1 }).receive())).toMatchObject({
        message: "mapStream() reads an iterable, an async one, or a function that makes one, not 1",
      });
    });
  });
});

function fail(error: Error): never {
  throw error;
}
