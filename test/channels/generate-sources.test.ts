import { EventEmitter, on } from "node:events";
import { addAbortSignal, PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  currentScope,
  ErrorGroup,
  fromReadableStream,
  type Generated,
  generate,
  merge,
  moveOnAfter,
  now,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** An iterable that is no generator of the language, and what was asked of it. */
interface Scripted extends AsyncIterable<number> {
  readonly calls: string[];
}

interface Script {
  readonly next: (n: number) => unknown;
  readonly return?: () => unknown;
}

function scripted({ next, return: end }: Script): Scripted {
  const calls: string[] = [];
  let n = 0;
  const iterator = {
    next: () => {
      calls.push("next");
      return next(n++);
    },
    ...(end === undefined
      ? {}
      : {
          return: () => {
            calls.push("return");
            return end();
          },
        }),
  };
  return { calls, [Symbol.asyncIterator]: () => iterator as AsyncIterator<number> };
}

const item = (value: number) => ({ done: false, value });
const done = { done: true, value: undefined };

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of items) list.push(each);
  return list;
}

/** Both read their sources in the same way. */
const readers: Readonly<Record<string, (source: AsyncIterable<number>, scope?: Cancellable) => Generated<number>>> = {
  "generate()": (source, scope) => generate(() => source, scope),
  "merge()": (source, scope) => merge([source], scope),
};

describe.each(Object.entries(readers))("%s of an iterable that is no generator", (_, read) => {
  test("reads it to its end, and does not close what has ended by itself", async () => {
    await simulate(async () => {
      const source = scripted({ next: async (n) => (n < 3 ? item(n) : done), return: async () => done });
      expect(await listOf(read(source))).toEqual([0, 1, 2]);
      expect(source.calls).toEqual(["next", "next", "next", "next"]);
    });
  });

  test("takes results that are no promises, as the language does", async () => {
    await simulate(async () => {
      const source = scripted({ next: (n) => (n < 2 ? item(n) : done) });
      expect(await listOf(read(source))).toEqual([0, 1]);
    });
  });

  test("closes it once when the loop is left, and waits for that", async () => {
    await simulate(async () => {
      const log: number[] = [];
      const source = scripted({
        next: async (n) => item(n),
        return: async () => {
          await new CancelScope({ shield: true }).run(() => sleep(10));
          log.push(now());
          return done;
        },
      });
      for await (const each of read(source)) if (each === 1) break;
      expect([source.calls, log, now()]).toEqual([["next", "next", "return"], [10], 10]);
    });
  });

  test("needs no return()", async () => {
    await simulate(async () => {
      const source = scripted({ next: async (n) => item(n) });
      for await (const each of read(source)) if (each === 1) break;
      expect(source.calls).toEqual(["next", "next"]);
    });
  });

  test("takes whatever return() gives", async () => {
    await simulate(async () => {
      for (const given of [undefined, {}, item(1), 5]) {
        const source = scripted({ next: async (n) => item(n), return: async () => given });
        for await (const _ of read(source)) break;
        expect(source.calls).toEqual(["next", "return"]);
      }
    });
  });

  test("closes it at once when it is left while an item is awaited, which may never come", async () => {
    await simulate(async () => {
      let end = (_: unknown) => {};
      const source = scripted({
        next: (n) => (n === 0 ? item(n) : new Promise((resolve) => (end = resolve))),
        return: async () => end(done),
      });
      await moveOnAfter(5, () => listOf(read(source)));
      expect([source.calls, now()]).toEqual([["next", "next", "return"], 5]);
    });
  });

  test("closes it at once when the scope is left that it belongs to", async () => {
    await simulate(async () => {
      let end = (_: unknown) => {};
      const source = scripted({
        next: (n) => (n === 0 ? item(n) : new Promise((resolve) => (end = resolve))),
        return: async () => end(done),
      });
      await new CancelScope().run(async (scope) => {
        const reading = read(source);
        await reading.receive();
        await moveOnAfter(5, () => reading.receive());
        scope.cancel();
        await checkpoint();
      });
      expect([source.calls, now()]).toEqual([["next", "next", "return"], 5]);
    });
  });

  test("closes it in its own time where no item is awaited: not within the call that cancels", async () => {
    await simulate(async () => {
      const source = scripted({ next: async (n) => item(n), return: async () => done });
      const reading = read(source);
      await reading.receive();
      await sleep(1);
      const closing = reading.close();
      expect(source.calls).toEqual(["next"]);
      await closing;
      expect(source.calls).toEqual(["next", "return"]);
    });
  });

  test("that an item which was awaited then is refused as closed is no failure", async () => {
    await simulate(async () => {
      let refuse = (_: unknown) => {};
      const source = scripted({
        next: () => new Promise((_, reject) => (refuse = reject)),
        return: async () => refuse(new ClosedResourceError("closed")),
      });
      await moveOnAfter(5, () => listOf(read(source)));
      expect(source.calls).toEqual(["next", "return"]);
    });
  });

  test("any other error of it is a failure", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      let refuse = (_: unknown) => {};
      const source = scripted({
        next: () => new Promise((_, reject) => (refuse = reject)),
        return: async () => refuse(boom),
      });
      expect(await rejectionOf(moveOnAfter(5, () => listOf(read(source))))).toBe(boom);
    });
  });

  test("that an item is refused as closed without our having closed it is a failure", async () => {
    await simulate(async () => {
      const error = new ClosedResourceError("closed");
      const source = scripted({ next: () => Promise.reject(error), return: async () => done });
      expect(await rejectionOf(listOf(read(source)))).toBe(error);
      expect(source.calls).toEqual(["next"]);
    });
  });

  test("an item that comes all the same is dropped", async () => {
    await simulate(async () => {
      let end = (_: unknown) => {};
      const source = scripted({
        next: () => new Promise((resolve) => (end = resolve)),
        return: async () => end(item(1)),
      });
      expect(await moveOnAfter(5, () => listOf(read(source)))).toBe(undefined);
      expect(source.calls).toEqual(["next", "return"]);
    });
  });

  test("both errors are kept if an item and closing fail", async () => {
    await simulate(async () => {
      const ofNext = new Error("next");
      const ofReturn = new Error("return");
      let refuse = (_: unknown) => {};
      const source = scripted({
        next: () => new Promise((_, reject) => (refuse = reject)),
        return: async () => {
          refuse(ofNext);
          throw ofReturn;
        },
      });
      const error = await rejectionOf(moveOnAfter(5, () => listOf(read(source))));
      expect(error).toBeInstanceOf(ErrorGroup);
      expect((error as ErrorGroup).leaves()).toEqual([ofNext, ofReturn]);
      const both = scripted({
        next: () => new Promise((_, reject) => (refuse = reject)),
        return: async () => {
          refuse(ofNext);
          throw ofNext;
        },
      });
      expect(await rejectionOf(moveOnAfter(5, () => listOf(read(both))))).toBe(ofNext);
    });
  });

  test("what return() throws, at once or later, is what goes wrong on closing", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const flaws = [
        () => Promise.reject(boom),
        () => {
          throw boom;
        },
      ];
      for (const flaw of flaws) {
        const source = scripted({ next: async (n) => item(n), return: flaw });
        const reading = openNursery(async () => {
          for await (const _ of read(source)) break;
        });
        expect(await rejectionOf(reading)).toBe(boom);
        expect(source.calls).toEqual(["next", "return"]);
      }
    });
  });

  test("its return() runs in the scope of the task that reads, whoever closes it", async () => {
    await simulate(async (nursery) => {
      const scopes: string[] = [];
      let end = (_: unknown) => {};
      const source = scripted({
        next: () => {
          scopes.push(currentScope().name);
          return new Promise((resolve) => (end = resolve));
        },
        return: () => {
          scopes.push(currentScope().name);
          end(done);
        },
      });
      const reading = read(source);
      nursery.startSoon(() => rejectionOf(reading.receive()));
      await sleep(1);
      await reading.close();
      expect(scopes).toHaveLength(2);
      expect(scopes[1]).toBe(scopes[0]);
    });
  });

  test("a result that is none is told as in a loop of the language", async () => {
    await simulate(async () => {
      for (const [given, text] of [
        [undefined, "undefined"],
        [5, "5"],
        ["text", '"text"'],
      ] as const) {
        const source = scripted({ next: async () => given, return: async () => done });
        expect(await rejectionOf(listOf(read(source)))).toMatchObject({
          name: "TypeError",
          message: `next() of an iterator gave ${text}, which is no result of an iterator`,
        });
      }
    });
  });

  test("the end of a channel is its end, and leaving closes the receive end, which tells the producer", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(2);
      await send.send(1);
      await send.send(2);
      send.close();
      expect(await listOf(read(receive))).toEqual([1, 2]);
      const other = openMemoryChannel<number>(0);
      nursery.startSoon(async () => {
        expect(await rejectionOf(sendAll(other.send.send.bind(other.send)))).toMatchObject({ name: "BrokenResourceError" });
      });
      for await (const each of read(other.receive)) if (each === 3) break;
      expect(other.receive.isClosed).toBe(true);
    });
  });

  test("a channel in which nothing comes is closed when the loop is cancelled", async () => {
    await simulate(async () => {
      const { receive } = openMemoryChannel<number>(0);
      await moveOnAfter(5, () => listOf(read(receive)));
      expect([receive.isClosed, now()]).toEqual([true, 5]);
    });
  });

  test("where scopes are passed as arguments, too", async () => {
    await simulate(
      async (root) => {
        const { receive } = openMemoryChannel<number>(0);
        const scope = new CancelScope({ timeout: 5 });
        await scope.run(async () => {
          for await (const _ of read(receive.values(root), scope));
        }, root);
        expect([receive.isClosed, scope.cancelledCaught, now(root)]).toEqual([true, true, 5]);
      },
      { ambient: false },
    );
  });

  test("events: leaving takes the listener away, also when none comes", async () => {
    await run(async () => {
      const emitter = new EventEmitter();
      const reading = read(on(emitter, "tick") as AsyncIterable<number>);
      setTimeout(() => emitter.emit("tick", 1), 1);
      const seen: unknown[] = [];
      await moveOnAfter(20, async () => {
        for await (const each of reading) seen.push(each);
      });
      expect([seen, emitter.listenerCount("tick")]).toEqual([[[1]], 0]);
    });
  });

  test("a Node stream: leaving destroys it", async () => {
    await run(async () => {
      const stream = new PassThrough({ objectMode: true });
      stream.write(1);
      stream.write(2);
      for await (const _ of read(stream)) break;
      expect(stream.destroyed).toBe(true);
    });
  });

  test("a Node stream in which nothing comes is left at once if it is told of the cancellation", async () => {
    await run(async () => {
      const stream = new PassThrough({ objectMode: true });
      await moveOnAfter(5, () => listOf(read(generate((task) => addAbortSignal(task.signal, stream)))));
      expect(stream.destroyed).toBe(true);
    });
  });

  test("a web stream in which nothing comes is left at once if it is read as a channel", async () => {
    await run(async () => {
      let isCancelled = false;
      const cancel = () => {
        isCancelled = true;
      };
      const chunks = fromReadableStream(new ReadableStream<number>({ cancel }));
      await moveOnAfter(5, () => listOf(read(chunks)));
      expect(isCancelled).toBe(true);
    });
  });

  test("a web stream: leaving cancels it", async () => {
    await run(async () => {
      let isCancelled = false;
      const stream = new ReadableStream<number>({
        start: (controller) => controller.enqueue(1),
        cancel: () => {
          isCancelled = true;
        },
      });
      for await (const _ of read(stream as unknown as AsyncIterable<number>)) break;
      expect(isCancelled).toBe(true);
    });
  });
});

async function sendAll(send: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; ; n++) await send(n);
}
