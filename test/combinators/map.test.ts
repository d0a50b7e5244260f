import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, on } from "node:events";
import { describe, expect, test } from "vitest";
import type { NoPromises } from "../../src/combinators/item-source.js";
import {
  type Cancellable,
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  DeadlockError,
  ErrorGroup,
  forEach,
  generate,
  type ItemFunction,
  type ItemSource,
  Lock,
  type MapOptions,
  MissingScopeError,
  map,
  moveOnAfter,
  now,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { Resource } from "./jobs.js";
import { settledOf } from "./settling.js";

type Combinator = <T>(
  items: ItemSource<T> & NoPromises<T>,
  fn: ItemFunction<T, unknown>,
  options?: MapOptions,
  scope?: Cancellable,
) => Promise<unknown>;

function fail(error: Error): never {
  throw error;
}

const combinators: Readonly<Record<string, Combinator>> = { map, forEach };

describe.each(Object.entries(combinators))("%s()", (name, combine) => {
  test("passes the item, the scope of its task, and its number, and works on all at once by default", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      await combine(["a", "b"], async function work(item, scope, index) {
        seen.push([item, index, scope.name, currentScope() === scope, currentTask() === scope]);
        await sleep(5);
      });
      expect(seen).toEqual([
        ["a", 0, "work#1", true, true],
        ["b", 1, "work#2", true, true],
      ]);
      expect(now()).toBe(5);
    });
  });

  test("of no items is over when others have had their turn", async () => {
    await simulate(async () => {
      for (const source of [[], new Set<number>(), () => []] as ItemSource<number>[]) {
        const result = await combine(source, () => 1);
        expect(result).toEqual(name === "map" ? [] : undefined);
      }
    });
  });

  test("never starts an item inside the call", async () => {
    await run(async () => {
      const log: string[] = [];
      const mapped = combine([1], () => void log.push("item"));
      log.push("called");
      await mapped;
      expect(log).toEqual(["called", "item"]);
    });
  });

  test("goes by the array as it is when an item's turn has come", async () => {
    await simulate(async () => {
      const items = [0, 1];
      const seen: number[] = [];
      await combine(
        items,
        (item) => {
          seen.push(item);
          if (items.length < 5) items.push(items.length);
        },
        { concurrency: 1 },
      );
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    });
  });

  test("uses the iterator of an array that has its own", async () => {
    await simulate(async () => {
      const items = [1, 2, 3];
      items[Symbol.iterator] = function* () {
        yield 7;
      } as () => ArrayIterator<number>;
      const seen: number[] = [];
      await combine(items, (item) => void seen.push(item));
      expect(seen).toEqual([7]);
    });
  });

  test("holes of an array are items, as they are for an iterator", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      await combine(new Array<number>(2), (item) => void seen.push(item));
      expect(seen).toEqual([undefined, undefined]);
    });
  });

  test("runs each item, and the source, in the async context of the caller, whatever the others enter", async () => {
    const storage = new AsyncLocalStorage<string>();
    await run(async () => {
      const seen: (string | undefined)[] = [];
      const work = async () => {
        seen.push(storage.getStore());
        storage.enterWith("of another");
        await checkpoint();
      };
      async function* items(): AsyncGenerator<number> {
        for (let i = 0; i < 4; i++) {
          seen.push(storage.getStore());
          yield i;
        }
      }
      await storage.run("of the caller", async () => {
        await combine([1, 2, 3, 4], work, { concurrency: 2 });
        await combine(items(), work, { concurrency: 2 });
      });
      expect(seen).toEqual(new Array(12).fill("of the caller"));
    });
  });

  test("reads the source in a scope of its own, which is ambient there, and which a function is passed", async () => {
    await simulate(async () => {
      const scopes: CancelScope[] = [];
      function* items(): Generator<number> {
        scopes.push(currentScope());
        yield 1;
        scopes.push(currentScope());
      }
      await combine(items(), () => checkpoint());
      const reader = (scope: CancelScope) => {
        scopes.push(scope, currentScope());
        return items();
      };
      await combine(reader, () => checkpoint());
      expect(scopes.map(({ name }) => name)).toEqual(new Array(6).fill("source"));
      expect([scopes[1], scopes[3], scopes[4]]).toEqual([scopes[0], scopes[2], scopes[2]]);
      expect(await rejectionOf(sleep(1, scopes[0]))).toMatchObject({ name: "ScopeEndedError", scope: `root > ${name} > source` });
    });
  });

  test("a source that is cancelled by its own scope has no more items, and that is an error", async () => {
    await simulate(async () => {
      const source = async function* (scope: CancelScope): AsyncGenerator<number> {
        yield 1;
        scope.cancel("no more");
        await checkpoint(scope);
      };
      let isCutOff = false;
      const error = await rejectionOf(
        combine(source, async (_, scope) => {
          await sleepForever(scope).catch((reason) => {
            isCutOff = reason instanceof Cancelled;
          });
        }),
      );
      expect(error).toMatchObject({
        name: "TaskCancelledError",
        task: `root > ${name} > source`,
        message: `root > ${name} > source was cancelled by its own scope, so there are no more items`,
      });
      expect(isCutOff).toBe(true);
    });
  });

  test("what an item leaves behind has ended before its place is given to another one", async () => {
    for (const ambient of [true, false]) {
      await simulate(
        async (root) => {
          const log: string[] = [];
          const work = (item: number, scope: CancelScope) => {
            log.push(`begins ${item}`);
            void sleepForever(scope).catch(() => log.push(`stops ${item}`));
            scope.defer(async (cleanup) => {
              await sleep(3, cleanup);
              log.push(`cleans up ${item}`);
            });
          };
          await combine([1, 2], work, { concurrency: 1 }, root);
          expect(log).toEqual(["begins 1", "stops 1", "cleans up 1", "begins 2", "stops 2", "cleans up 2"]);
        },
        { ambient },
      );
    }
  });

  test("code that goes on after its item has ended is refused, and disturbs no other item", async () => {
    await simulate(async () => {
      const late: Promise<unknown>[] = [];
      const scopes: CancelScope[] = [];
      let error: unknown;
      const work = async (item: number, scope: CancelScope) => {
        scopes.push(scope);
        if (item === 1) return;
        scopes[0]?.cancel();
        error = await rejectionOf(sleep(5, scopes[0]));
        late.push(sleep(5, scope));
        await checkpoint(scope);
      };
      await combine([1, 2], work, { concurrency: 1 });
      expect(error).toMatchObject({ name: "ScopeEndedError", scope: `root > ${name} > work#1` });
      expect(await rejectionOf(late[0] as Promise<unknown>)).toBeInstanceOf(Cancelled);
    });
  });

  test("a lock that an item does not give back is broken when the item ends", async () => {
    await simulate(async () => {
      const lock = new Lock();
      const error = await rejectionOf(combine([1, 2], (_, scope) => lock.acquire(scope), { concurrency: 1 }));
      expect(error).toMatchObject({ name: "BrokenResourceError", message: expect.stringContaining(`root > ${name} > item#1 ended`) });
    });
  });

  test("an item may be joined by others, as any task", async () => {
    await simulate(async () => {
      const joined: unknown[] = [];
      const tasks: { join(): Promise<unknown> }[] = [];
      await combine([1, 2], async (item) => {
        tasks.push(currentTask());
        if (item === 1) await sleep(5);
        else joined.push(await tasks[0]?.join());
        return item;
      });
      expect(joined).toEqual([1]);
      expect(await tasks[1]?.join()).toBe(2);
    });
  });

  test("sync or async, the function may throw anything, and the first error cancels the others", async () => {
    await simulate(async () => {
      for (const thrown of [undefined, null, "text", new Error("boom")]) {
        let stopped = 0;
        const work = (item: number, scope: CancelScope) => {
          if (item === 2) throw thrown;
          return sleepForever(scope).catch((reason) => {
            stopped++;
            throw reason;
          });
        };
        expect(await rejectionOf(combine([1, 2, 3], work, { concurrency: 2 }))).toBe(thrown);
        expect(stopped).toBe(1);
        expect(await rejectionOf(combine([1], () => Promise.reject(thrown)))).toBe(thrown);
      }
    });
  });

  test("takes any thenable, and no result is awaited in vain", async () => {
    await simulate(async () => {
      // biome-ignore lint/suspicious/noThenProperty: that is what it is about
      const thenable = { then: (resolve: (value: number) => void) => resolve(5) };
      const result = await combine([1], () => thenable);
      expect(result).toEqual(name === "map" ? [5] : undefined);
    });
  });

  test("does not overflow the stack, however many items end at once", async () => {
    await simulate(async () => {
      let seen = 0;
      const items = Array.from({ length: 2_000 }, (_, i) => i);
      await combine(items, () => void seen++, { concurrency: 3 });
      expect(seen).toBe(2_000);
    });
    await run(async () => {
      let seen = 0;
      await forEach(
        new Array(20_000).fill(0),
        (_, scope) => {
          seen++;
          scope.cancel();
          scope.throwIfCancelled();
        },
        { concurrency: 3 },
      );
      expect(seen).toBe(20_000);
    });
  });

  test("an endless source of functions that never wait starves neither timers nor deadlines", async () => {
    await run(async () => {
      function* endless(): Generator<number> {
        for (let i = 0; ; i++) yield i;
      }
      let seen = 0;
      const scope = new CancelScope({ timeout: 30 });
      await scope.run(() => forEach(endless(), () => void seen++, { concurrency: 2 }));
      expect(scope.cancelledCaught).toBe(true);
      expect(seen).toBeGreaterThan(100);
      const all = new CancelScope({ timeout: 30 });
      await all.run(() => combine(endless(), async () => undefined, { concurrency: 4 }));
      expect(all.cancelledCaught).toBe(true);
    });
  });

  test("an endless source in simulated time lets others run", async () => {
    await simulate(async (nursery) => {
      function* endless(): Generator<number> {
        for (let i = 0; ; i++) yield i;
      }
      const scope = new CancelScope();
      nursery.startSoon(async () => {
        for (let i = 0; i < 20; i++) await checkpoint();
        scope.cancel();
      });
      await scope.run(() => combine(endless(), () => 1, { concurrency: 2 }));
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test("refuses an item that is a promise, and says why; the source is closed", async () => {
    await simulate(async () => {
      let closed = 0;
      function* items(): Generator<unknown> {
        try {
          yield 1;
          yield Promise.resolve(2);
        } finally {
          closed++;
        }
      }
      const message = `an item of ${name}() is a promise: what it stands for is running already, and cannot be owned. Pass what it is made from, and make it in the function`;
      expect(await rejectionOf(combine(items() as Iterable<number>, () => 1))).toMatchObject({ name: "UsageError", message });
      expect(closed).toBe(1);
      expect(await rejectionOf(combine([1, Promise.resolve(2)] as number[], () => 1))).toMatchObject({ name: "UsageError", message });
    });
  });

  test("an item that cannot be asked whether it is a promise is taken as it is", async () => {
    await simulate(async () => {
      const hostile = new Proxy({}, { get: () => fail(new Error("not to be asked")) });
      const seen: unknown[] = [];
      await combine<unknown>([hostile, 2], (item) => seen.push(item));
      expect([seen.length, seen[0] === hostile, seen[1]]).toEqual([2, true, 2]);
    });
  });

  test("functions are items like any other", async () => {
    await simulate(async () => {
      const seen: number[] = [];
      await combine([() => 1, () => 2], (work) => void seen.push(work()));
      expect(seen).toEqual([1, 2]);
    });
  });

  test.each([
    [1, TypeError, "reads an iterable, an async one, or a function that makes one, not 1"],
    [undefined, TypeError, "reads an iterable, an async one, or a function that makes one, not undefined"],
    [{}, TypeError, "reads an iterable, an async one, or a function that makes one, not an object"],
    [Promise.resolve([1]), TypeError, "reads an iterable, an async one, or a function that makes one, not a promise"],
    [
      async () => [1],
      TypeError,
      "reads an iterable, an async one, or a function that makes one, not a promise, which an `async function` without the asterisk returns",
    ],
    [() => 5, TypeError, "reads an iterable, an async one, or a function that makes one, not 5"],
  ])("refuses %o as a source", async (source, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(
        type,
        combine(source as never, () => 1),
      );
      expect(error.message).toContain(`${name}() ${message}`);
    });
  });

  test("refuses what next() must not return", async () => {
    await simulate(async () => {
      const source = { [Symbol.iterator]: () => ({ next: () => 5 }) };
      const error = await rejectionAs(
        TypeError,
        combine(source as never, () => 1),
      );
      expect(error.message).toBe("next() of an iterator gave 5, which is no result of an iterator");
    });
  });

  test("what a source throws when it is begun is what it rejects with", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const throwing = () => {
        throw boom;
      };
      expect(await rejectionOf(combine(throwing as () => number[], () => 1))).toBe(boom);
      expect(await rejectionOf(combine({ [Symbol.iterator]: throwing as () => Iterator<number> }, () => 1))).toBe(boom);
      const broken = {
        get done(): boolean {
          throw boom;
        },
        value: 1,
      };
      expect(await rejectionOf(combine({ [Symbol.iterator]: () => ({ next: () => broken }) } as never, () => 1))).toBe(boom);
    });
  });

  test.each([
    [0, RangeError, `the concurrency of ${name}() is a whole number from 1, or Infinity, not 0`],
    [1.5, RangeError, `the concurrency of ${name}() is a whole number from 1, or Infinity, not 1.5`],
    [Number.NaN, RangeError, `the concurrency of ${name}() is a whole number from 1, or Infinity, not NaN`],
    ["2", TypeError, `the concurrency of ${name}() is a number, not "2"`],
    [null, TypeError, `the concurrency of ${name}() is a number, not null`],
  ])("refuses a concurrency of %o", async (concurrency, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(
        type,
        combine([1], () => 1, { concurrency: concurrency as number }),
      );
      expect(error.message).toBe(message);
    });
  });

  test.each([8, "8", null, () => 8])("refuses %o in place of the options", async (options) => {
    await simulate(async (root) => {
      const message = `the options of ${name}() are an object, not ${typeof options === "function" ? "a function" : String(JSON.stringify(options))}`;
      for (const scope of [undefined, root]) {
        const error = await rejectionAs(
          TypeError,
          combine([1], () => 1, options as never, scope),
        );
        expect(error.message).toBe(message);
      }
    });
  });

  test("refuses what is no function", async () => {
    await simulate(async () => {
      expect(await rejectionOf(combine([1], 2 as never))).toMatchObject({
        name: "UsageError",
        message: `${name}() takes a function, not 2`,
      });
    });
  });

  test("needs a scope, and takes it last, or among the options", async () => {
    expect(await rejectionOf(combine([1], () => 1))).toBeInstanceOf(MissingScopeError);
    await run(
      async (root) => {
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.cancel();
          const { reason } = scope.signal;
          expect(await rejectionOf(combine([1], () => 1, undefined, scope))).toBe(reason);
          expect(await rejectionOf(combine([1], () => 1, { concurrency: 1, signal: scope.signal }))).toBe(reason);
          expect(await rejectionOf(combine([1], () => 1, scope))).toBe(reason);
          expect(await rejectionOf(combine([1], () => 1, { signal: root.signal }, scope))).toBe(reason);
        }, root);
      },
      { ambient: false },
    );
  });

  test("left floating, it is cancelled and awaited with the scope that it is in, and nothing is reported", async () => {
    const unhandled = await unhandledDuring(async () => {
      await run(async () => {
        let ended = 0;
        let closed = 0;
        async function* items(): AsyncGenerator<number> {
          try {
            yield 1;
            await sleepForever();
          } finally {
            closed++;
          }
        }
        await new CancelScope().run(async () => {
          void combine(items(), async (_, scope) => {
            await sleepForever(scope).catch(() => {});
            await new CancelScope({ shield: true }).run(() => sleep(2));
            ended++;
          });
          await sleep(1);
        });
        expect([ended, closed]).toEqual([1, 1]);
      });
    });
    expect(unhandled).toEqual([]);
  });

  test("an item that a cancellation overtakes is not begun", async () => {
    const seen: number[] = [];
    await run(() =>
      new CancelScope().run(async (scope) => {
        let n = 0;
        const next = () =>
          new Promise<IteratorResult<number>>((resolve) => {
            resolve({ done: false, value: n++ });
            // When the item has been handed on, and before anything is done with it.
            if (n === 3) {
              void Promise.resolve()
                .then(() => {})
                .then(() => scope.cancel());
            }
          });
        await combine({ [Symbol.asyncIterator]: () => ({ next }) }, (item) => void seen.push(item), { concurrency: 1 });
      }),
    );
    expect(seen).toEqual([0, 1]);
  });

  test("a cancellation ends the wait for an item of an event emitter, and leaves no listener", async () => {
    await run(async () => {
      const emitter = new EventEmitter();
      const scope = new CancelScope();
      setTimeout(() => emitter.emit("item", 1), 1);
      const seen: unknown[] = [];
      await scope.run(() =>
        combine(on(emitter, "item") as AsyncIterable<number[]>, ([item]) => {
          seen.push(item);
          setTimeout(() => scope.cancel(), 1);
        }),
      );
      expect([scope.cancelledCaught, seen, emitter.eventNames()]).toEqual([true, [1], []]);
    });
  });

  test("a failing item ends the wait for the next one, where the source is passed its scope", async () => {
    await simulate(
      async (root) => {
        const boom = new Error("boom");
        let closed = 0;
        const source = async function* (scope: CancelScope): AsyncGenerator<number> {
          try {
            yield 1;
            await sleepForever(scope);
          } finally {
            closed++;
          }
        };
        const failing = async (_: number, scope: CancelScope) => {
          await sleep(5, scope);
          throw boom;
        };
        expect(await rejectionOf(combine(source, failing, undefined, root))).toBe(boom);
        expect(closed).toBe(1);
      },
      { ambient: false },
    );
  });

  test("a failing item ends the wait for the next one of a channel, closes that end, and is all that went wrong", async () => {
    await simulate(
      async (root) => {
        const boom = new Error("boom");
        const [send, receive] = openMemoryChannel<number>(1);
        send.sendNowait(1);
        const failing = async (_: number, scope: CancelScope) => {
          await sleep(5, scope);
          throw boom;
        };
        expect(await rejectionOf(combine(receive.values({ signal: root.signal }), failing, { concurrency: 2 }, root))).toBe(boom);
        expect([receive.isClosed, now(root)]).toEqual([true, 5]);
      },
      { ambient: false },
    );
  });

  test("a source that is closed while it is being read has the time it takes for that, in a shield", async () => {
    await simulate(async () => {
      const log: string[] = [];
      let end: (result: IteratorResult<number>) => void = () => {};
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<IteratorResult<number>>((resolve) => (end = resolve)),
          return: async () => {
            log.push(`closing at ${now()}`);
            end({ done: true, value: undefined });
            await sleep(5);
            log.push(`closed at ${now()}`);
            return { done: true as const, value: undefined };
          },
        }),
      };
      await moveOnAfter(3, () => combine(source, () => {}));
      expect([log, now()]).toEqual([["closing at 3", "closed at 8"], 8]);
      const boom = new Error("boom");
      const failing = {
        [Symbol.asyncIterator]: () => {
          const iterator = source[Symbol.asyncIterator]();
          return { next: iterator.next, return: () => iterator.return().then(() => fail(boom)) };
        },
      };
      expect(await rejectionOf(moveOnAfter(3, () => combine(failing, () => {})))).toBe(boom);
    });
  });

  test("a string is read by its characters", async () => {
    await simulate(async () => {
      const seen: string[] = [];
      await combine("abc", (item) => seen.push(item));
      expect(seen).toEqual(["a", "b", "c"]);
    });
  });

  test("a generator that yields while it is being closed is told so, and closed all the same", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      let isClosed = false;
      const sync = function* () {
        try {
          yield 1;
        } finally {
          try {
            yield 2;
          } finally {
            isClosed = true;
          }
        }
      };
      const async = async function* () {
        yield* sync();
      };
      for (const source of [sync, async]) {
        isClosed = false;
        const group = await rejectionAs(
          ErrorGroup,
          combine(source, () => fail(boom), { concurrency: 1 }),
        );
        const message = `the generator of root > ${name} > source yielded while it was being closed, so the item went nowhere and what follows in that block was skipped. Do not yield in a \`finally\``;
        expect([group.errors, isClosed]).toEqual([[boom, new UsageError(message)], true]);
      }
    });
  });

  test("what a generator of ours throws while it is being closed is told once, here", async () => {
    await simulate(async () => {
      const [boom, closing] = [new Error("boom"), new Error("closing")];
      let inside: unknown;
      const outside = await settledOf(
        openNursery(async () => {
          const numbers = generate(async function* () {
            try {
              for (let i = 0; ; i++) yield i;
            } finally {
              fail(closing);
            }
          });
          inside = await rejectionOf(combine(numbers, () => fail(boom), { concurrency: 1 }));
        }),
      );
      expect((inside as ErrorGroup).errors).toEqual([boom, closing]);
      expect(outside.ok).toBe(true);
    });
  });

  test("the source is closed after the items have ended, in a shield", async () => {
    await simulate(async () => {
      const log: string[] = [];
      function source(): AsyncIterator<number> & AsyncIterable<number> {
        return {
          [Symbol.asyncIterator]() {
            return this;
          },
          next: async () => ({ done: false, value: 1 }),
          return: async () => {
            log.push(`closing at ${now()}`);
            await sleep(5);
            log.push(`closed at ${now()}`);
            return { done: true, value: undefined };
          },
        };
      }
      const work = async (_: number, scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        await new CancelScope({ shield: true }).run(() => sleep(10));
        log.push("item ended");
      };
      await moveOnAfter(3, () => combine(source(), work, { concurrency: 1 }));
      expect(log).toEqual(["item ended", "closing at 13", "closed at 18"]);
    });
  });

  test("says in a deadlock what waits for what", async () => {
    const error = await rejectionAs(
      DeadlockError,
      simulate(async () => {
        function* items(): Generator<number> {
          yield 1;
          yield 2;
        }
        await combine(items(), async function work(_, scope) {
          await sleepForever(scope);
        });
      }),
    );
    expect(error.waiting.map(({ task, op }) => [task, op])).toEqual([
      ["main", name],
      [`root > ${name} > source`, "wait to be asked"],
      [`root > ${name} > work#1`, "sleep"],
      [`root > ${name} > work#2`, "sleep"],
    ]);
  });
});

describe("map()", () => {
  test("of many items keeps their order", async () => {
    await run(async () => {
      const items = Array.from({ length: 1_000 }, (_, i) => i);
      const results = await map(
        items,
        async (item) => {
          for (let i = 0; i < item % 7; i++) await undefined;
          return -item;
        },
        { concurrency: 10 },
      );
      expect(results).toEqual(items.map((item) => -item));
    });
  });

  test("an item that is cancelled by its own scope has no result, and that is an error", async () => {
    await simulate(async () => {
      const error = await rejectionOf(
        map([1], async function work(_, scope) {
          scope.deadline = now() + 5;
          await sleepForever(scope);
        }),
      );
      expect(error).toMatchObject({ name: "TaskCancelledError", task: "root > map > work#1" });
      expect(now()).toBe(5);
    });
  });

  test("results that nobody gets are disposed, each once", async () => {
    await simulate(async () => {
      const shared = new Resource(0, false);
      const boom = new Error("boom");
      expect(
        await rejectionOf(
          map([1, 2, 3], (item) => {
            if (item === 3) throw boom;
            return shared;
          }),
        ),
      ).toBe(boom);
      expect(shared.disposals).toBe(1);
    });
  });

  test("all results that were there when it was cancelled are delivered, if none is missing", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      const resource = new Resource(0, false);
      const stubborn = async (_: number, own: CancelScope) => {
        await sleepForever(own).catch(() => {});
        return resource;
      };
      expect(await scope.run(() => map([1, 2], stubborn))).toEqual([resource, resource]);
      expect(resource.disposals).toBe(0);
      const other = new CancelScope({ timeout: 5 });
      expect(await other.run(() => map([1, 2, 3], stubborn, { concurrency: 2 }))).toBe(undefined);
      expect([other.cancelledCaught, resource.disposals]).toEqual([true, 1]);
    });
  });
});

describe("forEach()", () => {
  test("skips an item that is cancelled by its own scope", async () => {
    await simulate(async () => {
      const seen: number[] = [];
      await forEach(
        [1, 2, 3],
        async (item, scope) => {
          if (item === 2) scope.cancel();
          await checkpoint(scope);
          seen.push(item);
        },
        { concurrency: 1 },
      );
      expect(seen).toEqual([1, 3]);
    });
  });
});
