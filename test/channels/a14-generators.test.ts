import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  ErrorGroup,
  Event,
  failAfter,
  type Generated,
  generate,
  moveOnAfter,
  Nursery,
  now,
  openNursery,
  sleep,
  sleepForever,
  type Task,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** Trio's rules of async generators, by their numbers: what `trio.as_safe_channel` does, `generate` does. */

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("AG1: the generator runs in a task of its own", () => {
  test("and its items come in their order, up to its end", async () => {
    await simulate(async () => {
      expect(await listOf(generate(() => count(5)))).toEqual([0, 1, 2, 3, 4]);
      expect(await listOf(generate(() => count(0)))).toEqual([]);
    });
  });

  test("whose scope it is passed, below the scope that generate() was called in", async () => {
    await simulate(async () => {
      async function* paths(task: Task) {
        yield `${task}`;
      }
      expect(await listOf(generate(paths))).toEqual(["Task { root > generate > paths, running }"]);
      expect(await listOf(generate((task) => paths(task)))).toEqual(["Task { root > generate > generator, running }"]);
    });
  });

  test("once it has ended, every receive says so", async () => {
    await simulate(async () => {
      const numbers = generate(() => count(1));
      expect(await numbers.receive()).toBe(0);
      for (let i = 0; i < 3; i++) {
        const end = await rejectionAs(EndOfChannel, numbers.receive());
        expect(end.message).toBe("there are no more items: what made them has ended");
      }
      expect(await listOf(numbers)).toEqual([]);
    });
  });

  test("loops over generators may be nested", async () => {
    await simulate(async () => {
      const seen: [number, number][] = [];
      for await (const i of generate(() => count(2))) for await (const j of generate(() => count(2))) seen.push([i, j]);
      expect(seen).toEqual([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]);
    });
  });

  test("the loop ends after the generator's task has, with everything in it", async () => {
    const log: string[] = [];
    await simulate(async () => {
      async function* numbers(task: Task) {
        task.defer(async () => {
          await sleep(10);
          log.push(`cleaned up at ${now()}`);
        });
        yield 1;
      }
      for await (const _ of generate(numbers)) log.push(`item at ${now()}`);
      log.push(`left at ${now()}`);
    });
    expect(log).toEqual(["item at 0", "cleaned up at 10", "left at 10"]);
  });
});

describe("AG2: nothing is computed ahead", () => {
  test("the generator is not entered before the first item is asked for", async () => {
    await simulate(async () => {
      let isEntered = false;
      async function* numbers() {
        isEntered = true;
        yield 1;
      }
      const generated = generate(numbers);
      await sleep(10);
      expect(isEntered).toBe(false);
      expect(await generated.receive()).toBe(1);
    });
  });

  test("it stays at its yield until the next item is asked for", async () => {
    await simulate(async () => {
      let made = 0;
      async function* numbers() {
        for (;;) yield ++made;
      }
      const generated = generate(numbers);
      for (let i = 1; i <= 3; i++) {
        expect(await generated.receive()).toBe(i);
        await sleep(10);
        expect(made).toBe(i);
      }
    });
  });

  test("who asked and was cancelled before the generator went on has not asked", async () => {
    await simulate(async () => {
      let made = 0;
      async function* numbers() {
        for (;;) yield ++made;
      }
      const generated = generate(numbers);
      await generated.receive();
      const scope = new CancelScope();
      await scope.run(async () => {
        const waiting = generated.receive();
        scope.cancel();
        expect(await rejectionOf(waiting)).toBeInstanceOf(Cancelled);
      });
      await sleep(10);
      expect(made).toBe(1);
      expect(await generated.receive()).toBe(2);
    });
  });

  test("an item whose asker was cancelled meanwhile waits for the next one who asks, and the generator with it", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        for (let i = 1; ; i++) {
          await sleep(10);
          log.push(`made ${i} at ${now()}`);
          yield i;
        }
      }
      const generated = generate(numbers);
      await moveOnAfter(5, () => generated.receive());
      await sleep(95);
      expect(log).toEqual(["made 1 at 10"]);
      expect([await generated.receive(), now()]).toEqual([1, 100]);
      await sleep(50);
      expect(log).toEqual(["made 1 at 10"]);
      expect([await generated.receive(), now()]).toEqual([2, 160]);
    });
  });
});

describe("AG3: leaving cancels the generator and waits for its end", () => {
  /** Ways to leave a loop. Each gets the loop's scope. */
  const ways: Readonly<Record<string, (scope: CancelScope) => Promise<"break" | "return">>> = {
    break: async () => "break",
    return: async () => "return",
    "a throw": async () => {
      throw new Error("from the loop");
    },
    "a cancellation of the body": async (scope) => {
      scope.cancel();
      await checkpoint();
      throw new Error("unreachable");
    },
  };

  test.each(Object.entries(ways))("by %s", async (_, leave) => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
          log.push("unreachable");
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(10));
          log.push(`closed at ${now()}`);
        }
      }
      const scope = new CancelScope();
      try {
        await scope.run(async () => {
          try {
            for await (const _ of generate(numbers)) {
              const how = await leave(scope);
              if (how === "return") return;
              break;
            }
          } finally {
            log.push(`left at ${now()}`);
          }
        });
      } catch (error) {
        expect(error).toEqual(new Error("from the loop"));
      }
      expect(log).toEqual(["closed at 10", "left at 10"]);
    });
  });

  test("by a cancellation while the next item is awaited", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
          await sleepForever();
        } catch (error) {
          log.push(`${(error as Error).name} at ${now()}`);
          throw error;
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(10));
          log.push(`closed at ${now()}`);
        }
      }
      const generated = generate(numbers);
      await moveOnAfter(5, async () => {
        try {
          for await (const _ of generated);
        } finally {
          log.push(`left at ${now()}`);
        }
      });
      expect(log).toEqual(["AbortError at 5", "closed at 15", "left at 15"]);
    });
  });

  test("by a cancellation that is found where the next item is asked for", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          for (;;) yield 1;
        } finally {
          log.push("closed");
        }
      }
      const scope = new CancelScope();
      const generated = generate(numbers);
      await scope.run(async () => {
        try {
          for await (const _ of generated) scope.cancel();
        } finally {
          log.push("left");
        }
      });
      expect(log).toEqual(["closed", "left"]);
    });
  });

  test("a generator that was never started is not entered", async () => {
    await simulate(async () => {
      async function* numbers() {
        expect.unreachable();
        yield 1;
      }
      await generate(numbers).close();
      {
        await using _ = generate(numbers);
      }
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        for await (const _ of generate(numbers));
      });
      expect(scope.cancelledCaught).toBe(true);
      await generate(numbers)[Symbol.asyncIterator]().return?.();
    });
  });

  test("a generator that was cancelled before it could begin is not entered", async () => {
    await simulate(async (nursery) => {
      async function* numbers() {
        expect.unreachable();
        yield 1;
      }
      const generated = generate(numbers);
      nursery.startSoon(async () => {
        expect(await rejectionOf(generated.receive())).toBeInstanceOf(ClosedResourceError);
      });
      nursery.startSoon(() => generated.close());
    });
  });

  test("both are cancelled where one scope is around them", async () => {
    const events: string[] = [];
    await simulate(async () => {
      async function* numbers() {
        try {
          yield 1;
        } finally {
          try {
            await checkpoint();
          } catch (error) {
            events.push("generator cancelled");
            // biome-ignore lint/correctness/noUnsafeFinally: as whoever cleans up does
            throw error;
          }
        }
      }
      const scope = new CancelScope();
      await scope.run(async () => {
        for await (const _ of generate(numbers)) {
          scope.cancel();
          try {
            await checkpoint();
          } catch (error) {
            events.push("body cancelled");
            throw error;
          }
        }
      });
      expect(scope.cancelledCaught).toBe(true);
    });
    // In which order is a matter of the schedule.
    expect(events.sort()).toEqual(["body cancelled", "generator cancelled"]);
  });
});

describe("AG4: errors", () => {
  test("one comes out as it is, to whoever asked", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      async function* numbers() {
        yield 1;
        throw boom;
      }
      const seen: number[] = [];
      const loop = async () => {
        for await (const item of generate(numbers)) seen.push(item);
      };
      expect(await rejectionOf(loop())).toBe(boom);
      expect(seen).toEqual([1]);
    });
  });

  test("one comes out as it is where every failure of a nursery is grouped, and nurseries of the generator group", async () => {
    const boom = new Error("boom");
    await simulate(
      async () => {
        async function* numbers() {
          throw boom;
          // biome-ignore lint/correctness/noUnreachable: makes it a generator
          yield 1;
        }
        expect(await rejectionOf(generate(numbers).receive())).toBe(boom);
        async function* nested() {
          await openNursery(() => Promise.reject(boom));
          yield 1;
        }
        expect(await rejectionOf(generate(nested).receive())).toMatchObject({ name: "ErrorGroup", errors: [boom] });
      },
      { errors: "group" },
    );
  });

  test("a group of the user is not unwrapped", async () => {
    await simulate(async () => {
      const group = new AggregateError([new Error("foo")]);
      async function* numbers() {
        throw group;
        // biome-ignore lint/correctness/noUnreachable: makes it a generator
        yield 1;
      }
      expect(await rejectionOf(generate(numbers).receive())).toBe(group);
      const loop = async () => {
        for await (const _ of generate(() => count(3))) throw group;
      };
      expect(await rejectionOf(loop())).toBe(group);
    });
  });

  test("those of both sides come in a group, from the nursery around both", async () => {
    await simulate(async () => {
      const ofLoop = new TypeError("of the loop");
      const ofGenerator = new RangeError("of the generator");
      const events: string[] = [];
      async function* numbers() {
        try {
          yield 1;
        } finally {
          events.push("finally");
          // biome-ignore lint/correctness/noUnsafeFinally: what is tested
          throw ofGenerator;
        }
      }
      const error = await rejectionAs(
        ErrorGroup,
        openNursery(async () => {
          for await (const _ of generate(numbers)) throw ofLoop;
        }),
      );
      expect(error.errors).toEqual([ofLoop, ofGenerator]);
      expect(error.message).toBe("2 errors in root > nursery (TypeError: of the loop; RangeError: of the generator)");
      expect(events).toEqual(["finally"]);
    });
  });
});

describe("AG5: what happens in the scopes of one side does not leak to the other", () => {
  test("a nursery that is open in the generator and cancelled cancels nothing of the consumer", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        yield 1;
        await using nursery = Nursery.open();
        nursery.startSoon(sleepForever);
        nursery.cancel("inside");
        yield 2;
        log.push("went on");
        await nursery.join();
      }
      const seen: number[] = [];
      for await (const item of generate(numbers)) {
        await checkpoint();
        seen.push(item);
      }
      await checkpoint();
      expect([seen, log]).toEqual([[1, 2], ["went on"]]);
    });
  });

  test("the deadline of a scope that the consumer asks in is not that of what the generator opens there", async () => {
    await simulate(async () => {
      let ticks = 0;
      async function* numbers() {
        await using nursery = Nursery.open();
        nursery.startSoon(async () => {
          for (;;) {
            await sleep(10);
            ticks++;
          }
        });
        yield 1;
        yield 2;
      }
      const generated = generate(numbers);
      expect(await failAfter(5, () => generated.receive())).toBe(1);
      await sleep(105);
      expect(ticks).toBe(10);
      expect(await generated.receive()).toBe(2);
      await generated.close();
    });
  });

  test("a generator that cancels itself is no cancellation of the consumer, but an error", async () => {
    await simulate(async () => {
      async function* numbers(task: Task) {
        yield 1;
        task.cancel("enough");
        await checkpoint();
        yield 2;
      }
      const generated = generate(numbers);
      expect(await generated.receive()).toBe(1);
      expect(await rejectionOf(generated.receive())).toMatchObject({
        name: "TaskCancelledError",
        message:
          'root > generate was cancelled (AbortError: cancelled: cancel() was called on root > generate > numbers: "enough"), so there are no more items of it',
      });
      await checkpoint();
    });
  });
});

describe("AG6: closing", () => {
  const closedText = "it is closed, because a loop over it was left or close() was called, so nothing can be received from it any more";

  test("before the first item, between two, and after the end: later receives say so", async () => {
    await simulate(async () => {
      for (const received of [0, 1, 2, 3]) {
        const generated = generate(() => count(3));
        for (let i = 0; i < received; i++) await generated.receive();
        await generated.close();
        expect(await rejectionAs(ClosedResourceError, generated.receive())).toMatchObject({ message: closedText });
        expect(await rejectionOf(listOf(generated))).toBeInstanceOf(ClosedResourceError);
        await generated.close();
      }
    });
  });

  test("while others wait for an item: they are told", async () => {
    await simulate(async (nursery) => {
      async function* numbers() {
        await sleepForever();
        yield 1;
      }
      const generated = generate(numbers);
      const told: unknown[] = [];
      for (let i = 0; i < 3; i++) nursery.startSoon(async () => told.push(await rejectionOf(generated.receive())));
      nursery.startSoon(async () => told.push(await rejectionOf(listOf(generated))));
      await sleep(1);
      await generated.close();
      await sleep(1);
      expect(told.map((error) => (error as Error).message)).toEqual([closedText, closedText, closedText, closedText]);
    });
  });

  test("by another task, between two items of a loop: the loop is told", async () => {
    await simulate(async (nursery) => {
      const generated = generate(() => count(1000));
      nursery.startSoon(async () => {
        await sleep(1);
        await generated.close();
      });
      const loop = async () => {
        for await (const _ of generated) await sleep(0.1);
      };
      expect(await rejectionOf(loop())).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("by the generator itself, which cannot wait for its own end: it is cancelled", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const generated: Generated<number> = generate(async function* numbers() {
        try {
          yield 1;
          await generated.close();
          log.push("not waiting");
          await checkpoint();
          log.push("unreachable");
        } finally {
          log.push("finally");
        }
      });
      expect(await generated.receive()).toBe(1);
      expect(await rejectionOf(generated.receive())).toBeInstanceOf(ClosedResourceError);
      await generated.close();
      expect(log).toEqual(["not waiting", "finally"]);
    });
  });

  test("in a cancelled scope: it waits all the same", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      let isClosed = false;
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(10));
          isClosed = true;
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      await scope.run(async () => {
        scope.cancel();
        await generated.close();
        expect([isClosed, now()]).toEqual([true, 10]);
      });
    });
  });

  test("all who close it wait for its end", async () => {
    await simulate(async () => {
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(10));
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      await openNursery((nursery) => {
        for (let i = 0; i < 3; i++) {
          nursery.startSoon(async () => {
            await sleep(i);
            await generated.close();
            expect(now()).toBe(10);
          });
        }
      });
    });
  });
});

describe("AG7: several tasks may receive", () => {
  test("each item goes to one of them, in order of arrival", async () => {
    await simulate(async () => {
      const event = new Event();
      async function* numbers() {
        await event.wait();
        yield* count(3);
      }
      const generated = generate(numbers);
      const got: unknown[] = [];
      await openNursery(async (nursery) => {
        for (let who = 0; who < 5; who++) {
          nursery.startSoon(async () => {
            const item = await generated.receive().catch((error: unknown) => (error as Error).name);
            got.push([who, item]);
          });
        }
        await sleep(1);
        event.set();
      });
      expect(got).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
        [3, "EndOfChannel"],
        [4, "EndOfChannel"],
      ]);
    });
  });

  test("a failure goes to the one whose item it was, and the others get the end", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      async function* numbers() {
        await sleep(1);
        yield 1;
        throw boom;
      }
      const generated = generate(numbers);
      const got: unknown[] = [];
      await openNursery((nursery) => {
        for (let who = 0; who < 4; who++) {
          nursery.startSoon(async () => got.push(await generated.receive().catch((error: unknown) => error)));
        }
      });
      expect(got).toEqual([1, boom, expect.any(EndOfChannel), expect.any(EndOfChannel)]);
    });
  });

  test("loops that share one leave the rest to the others if they say so", async () => {
    await simulate(async () => {
      const generated = generate(() => count(5));
      const seen: number[] = [];
      for await (const item of generated.values({ preventCancel: true })) {
        seen.push(item);
        if (item === 1) break;
      }
      for await (const item of generated) seen.push(item);
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    });
  });
});

describe("AG8: that it is closed is no error in the generator", () => {
  test("at a yield it sees no exception, only its `finally` blocks run", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
        } catch (error) {
          log.push(`caught ${String(error)}`);
        } finally {
          log.push("finally");
        }
      }
      for await (const _ of generate(numbers)) break;
      expect(log).toEqual(["finally"]);
    });
  });

  test("of what a nursery in it ends with only the genuine errors come out", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      async function* numbers() {
        await using nursery = Nursery.open();
        nursery.startSoon(async () => {
          try {
            await sleepForever();
          } catch {
            throw boom;
          }
        });
        nursery.startSoon(sleepForever);
        await checkpoint();
        yield 1;
      }
      const loop = openNursery(async () => {
        for await (const _ of generate(numbers)) break;
      });
      expect(await rejectionOf(loop)).toBe(boom);
    });
  });
});

describe("AG9: a generator that its consumer abandons", () => {
  test("is cancelled and awaited when the scope is left that it belongs to", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
        } finally {
          log.push("finally");
          await new CancelScope({ shield: true }).run(() => sleep(10));
          log.push(`closed at ${now()}`);
        }
      }
      await new CancelScope({ name: "owner" }).run(async () => {
        await generate(numbers)[Symbol.asyncIterator]().next();
        log.push("body over");
      });
      expect([log, now()]).toEqual([["body over", "finally", "closed at 10"], 10]);
    });
  });

  test("its failure then is a failure of that scope", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      async function* numbers() {
        try {
          yield 1;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what is tested
          throw boom;
        }
      }
      const outcome = new CancelScope().run(async () => {
        await generate(numbers).receive();
      });
      expect(await rejectionOf(outcome)).toBe(boom);
    });
  });

  test("generators that read from one another end, whoever is left first", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* inner() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          log.push("inner");
        }
      }
      async function* outer() {
        try {
          for await (const item of generate(inner)) yield item;
        } finally {
          log.push("outer");
        }
      }
      await new CancelScope().run(async () => {
        await generate(outer).receive();
      });
      expect(log).toEqual(["inner", "outer"]);
    });
  });
});
