import { Readable, type Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  checkpoint,
  type MemoryReceiveChannel,
  MissingScopeError,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
  UsageError,
} from "../../src/index.js";
import { toWritable } from "../../src/node/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { eventsOf } from "./stream-support.js";

async function all<T>(receive: MemoryReceiveChannel<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of receive) items.push(item);
  return items;
}

describe("a Writable of a send end", () => {
  test("sends what is written, and ending it is the end of the channel", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<unknown>(0);
      const receiving = nursery.startSoon(() => all(receive));
      const stream = toWritable(send);
      const items = [1, "two", "", { three: 3 }, Buffer.from("four")];
      for (const item of items) stream.write(item);
      stream.end();
      await finished(stream);
      expect(await receiving.join()).toEqual(items);
      expect([stream.writableObjectMode, send.isClosed]).toEqual([true, true]);
    });
  });

  test("of bytes: sends buffers, also for strings, and refuses what is neither", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<Buffer>(0);
      const receiving = nursery.startSoon(() => all(receive));
      const stream = toWritable(send, { objectMode: false });
      expect(thrownBy(() => stream.write(7))).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
      stream.write("one");
      stream.end(new Uint8Array([0x32]));
      expect(await receiving.join()).toEqual([Buffer.from("one"), Buffer.from("2")]);
    });
  });

  test("a write is done when its chunk has been sent, and the stream wants no second one before", async () => {
    await simulate(async () => {
      for (const objectMode of [true, false]) {
        const [send, receive] = openMemoryChannel<unknown>(0);
        const stream = toWritable(send, { objectMode, preventClose: true });
        const events = eventsOf(stream);
        stream.on("drain", () => events.push("drain"));
        expect(stream.write("one", () => events.push("one"))).toBe(false);
        await sleep(1);
        expect(events).toEqual([]);
        await receive.receive();
        await sleep(1);
        expect(events.sort()).toEqual(["drain", "one"]);
        stream.end();
        await finished(stream);
      }
    });
  });

  test("a pipe into it reads as much as is received, and one chunk for each queue on the way", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(2);
      let read = 0;
      const source = new Readable({
        objectMode: true,
        highWaterMark: 0,
        read() {
          this.push(++read);
        },
      });
      const piping = rejectionOf(pipeline(source, toWritable(send)));
      await sleep(1);
      const before = read;
      // Two in the channel, one that waits to be sent, and what the source's own loop reads on before it is paused.
      expect(before).toBeLessThanOrEqual(4);
      await receive.receive();
      await sleep(1);
      expect(read).toBe(before + 1);
      await receive.receive();
      await sleep(1);
      expect(read).toBe(before + 2);
      receive.close();
      expect(await piping).toBeInstanceOf(BrokenResourceError);
      expect(source.destroyed).toBe(true);
    });
  });

  test("several streams may follow one another into a channel, with preventClose", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<string>(0);
      const receiving = nursery.startSoon(() => all(receive));
      await pipeline(Readable.from(["a", "b"]), toWritable(send, { preventClose: true }));
      expect(send.isClosed).toBe(false);
      await pipeline(Readable.from(["c"]), toWritable(send));
      expect(await receiving.join()).toEqual(["a", "b", "c"]);
    });
  });

  test("if all receive ends are closed, a write fails with BrokenResourceError, and so does the stream: nobody else does", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const stream = toWritable(send);
      const ended = rejectionOf(finished(stream));
      const written = new Promise((resolve) => stream.write(1, resolve));
      receive.close();
      const error = await ended;
      expect(error).toBeInstanceOf(BrokenResourceError);
      expect([await written, stream.errored, send.isClosed]).toEqual([error, error, true]);
      await sleep(1);
      expect(nursery.cancelCalled).toBe(false);
    });
  });

  test("a listener that throws is uncaught, as in any emitter", async () => {
    const boom = new Error("boom");
    const { uncaught, unhandled } = await watchProcess(() =>
      run(async () => {
        const stream = toWritable(openMemoryChannel<number>(1).send);
        await new Promise<void>((resolve) => {
          stream.write(1, () => {
            resolve();
            throw boom;
          });
        });
        stream.end();
        await finished(stream);
      }),
    );
    expect([uncaught, unhandled]).toEqual([[boom], []]);
  });
});

describe("destroying the stream before it has finished", () => {
  test("fails the nursery with the error: who receives in it is cancelled and sees no end of the channel", async () => {
    const boom = new Error("boom");
    let seen: unknown;
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      nursery.startSoon(async () => {
        seen = await rejectionOf(all(receive));
        throw seen;
      });
      const stream = toWritable(send);
      stream.on("error", () => {});
      stream.write(1);
      await sleep(1);
      stream.destroy(boom);
      await checkpoint();
    });
    expect(await rejectionOf(running)).toBe(boom);
    expect(seen).toMatchObject({ kind: "failure", cause: boom });
  });

  test("by a pipeline whose source fails: the error comes once, though the pipeline throws it as well", async () => {
    const boom = new Error("boom");
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const source = new Readable({ objectMode: true, read: () => source.destroy(boom) });
      nursery.startSoon(() => pipeline(source, toWritable(send, nursery)));
      await all(receive);
    });
    expect(await rejectionOf(running)).toBe(boom);
  });

  test("without an error, or by something else that was cancelled: the error says what has happened", async () => {
    const message = (because: string) =>
      `a stream into a channel was broken off before its end${because}, so what came out of the channel is not all`;
    const destroyed = simulate(async () => {
      toWritable(openMemoryChannel<number>(0).send).destroy();
    });
    expect(await rejectionOf(destroyed)).toEqual(new BrokenResourceError(message("")));
    const cancelled = simulate(async (nursery) => {
      const [send] = openMemoryChannel<number>(0);
      await moveOnAfter(5, ({ signal }) => pipeline(new Readable({ read() {} }), toWritable(send, nursery), { signal }));
    });
    expect(await rejectionOf(cancelled)).toEqual(new BrokenResourceError(message(" (AbortError: The operation was aborted)")));
  });

  test("in a scope that is cancelled already: no failure", async () => {
    await simulate(async () => {
      for (const error of [undefined, new Error("genuine")]) {
        const scope = new CancelScope();
        const failing = openNursery(() =>
          scope.run(async () => {
            const stream = toWritable(openMemoryChannel<number>(0).send);
            stream.on("error", () => {});
            scope.signal.addEventListener("abort", () => stream.destroy(error));
            scope.cancel();
            await checkpoint();
          }),
        );
        if (error === undefined) await failing;
        else expect(await rejectionOf(failing)).toBe(error);
      }
    });
  });

  test("ends a send under way, which has not sent", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const failing = openNursery(async (nursery) => {
        const stream = toWritable(send, { preventClose: true });
        stream.write(1);
        await sleep(1);
        expect(send.statistics().tasksWaitingSend).toBe(1);
        stream.destroy();
        expect(send.statistics().tasksWaitingSend).toBe(0);
        nursery.cancel();
      });
      expect(await rejectionOf(failing)).toBeInstanceOf(BrokenResourceError);
      expect([receive.statistics().openSendChannels, send.isClosed]).toEqual([1, false]);
    });
  });

  test("not after it: it is no failure then", async () => {
    await simulate(async (nursery) => {
      const stream = toWritable(openMemoryChannel<number>(0).send);
      stream.end();
      await finished(stream);
      stream.destroy(new Error("too late"));
      await sleep(1);
      expect(nursery.cancelCalled).toBe(false);
    });
  });
});

describe("the scope of the stream", () => {
  test("cancelled: the stream is destroyed with that very Cancelled, whether a write waits or not, and the end is closed", async () => {
    for (const isWriting of [false, true]) {
      await simulate(async (nursery) => {
        const [send] = openMemoryChannel<number>(0);
        const scope = new CancelScope();
        let stream: Writable | undefined;
        await scope.run(async () => {
          stream = toWritable(send);
          if (isWriting) stream.write(1);
          await sleep(1);
          scope.cancel("enough");
          expect([stream.destroyed, send.statistics().tasksWaitingSend]).toEqual([true, 0]);
          await checkpoint();
        });
        expect([stream?.errored, send.isClosed, nursery.cancelCalled]).toEqual([scope.signal.reason, true, false]);
      });
    }
  });

  test("left: likewise; with preventClose the end stays open", async () => {
    await simulate(async () => {
      for (const preventClose of [false, true]) {
        const [send] = openMemoryChannel<number>(0);
        const stream = await openNursery((own) => toWritable(send, { signal: own.signal, preventClose }));
        expect(stream.errored).toBeInstanceOf(Cancelled);
        expect(send.isClosed).toBe(!preventClose);
      }
    });
  });

  test("a pipeline in it ends with the cancellation", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const source = new Readable({ read() {} });
      await scope.run(async () => {
        const piping = pipeline(source, toWritable(openMemoryChannel<string>(0).send));
        scope.cancel();
        await piping;
      });
      expect([scope.cancelledCaught, source.destroyed]).toEqual([true, true]);
    });
  });

  test("is not left behind when the stream is over", async () => {
    await simulate(async (nursery) => {
      const stream = toWritable(openMemoryChannel<number>(0).send, nursery);
      stream.end();
      await finished(stream);
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

test("R13: misuse is refused", async () => {
  const [send, receive] = openMemoryChannel<number>(0);
  expect(thrownBy(() => toWritable(send))).toBeInstanceOf(MissingScopeError);
  expect(thrownBy(() => toWritable(send, new AbortController()))).toBeInstanceOf(UsageError);
  expect(thrownBy(() => toWritable(receive as never))).toEqual(
    new TypeError("toWritable() takes the send end of a channel, not a MemoryReceiveChannel"),
  );
});

test("R12, R17: nothing is unhandled or uncaught, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async () => {
      await moveOnAfter(2, async (scope) => {
        for (const use of [
          (stream: Writable) => void stream,
          (stream: Writable) => void stream.write(1),
          (stream: Writable) => void stream.end(),
          (stream: Writable) => void stream.end(1),
        ]) {
          use(toWritable(openMemoryChannel<number>(0).send, scope));
        }
        await sleep(1_000);
      });
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});
