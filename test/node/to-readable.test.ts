import { type Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  type MemorySendChannel,
  MissingScopeError,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
  UsageError,
} from "../../src/index.js";
import { toReadable } from "../../src/node/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { closedOf, eventsOf } from "./stream-support.js";

/** Sends 0, 1, 2, ... for ever, and counts. */
async function count(send: MemorySendChannel<number>, seen: { sent: number }): Promise<never> {
  for (;;) {
    await send.send(seen.sent);
    seen.sent++;
  }
}

describe("a Readable of a receive end", () => {
  test("has the items in their order, and ends with the channel", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<unknown>(2);
      const items = [1, "two", "", false, Buffer.alloc(0), { four: 4 }];
      nursery.startSoon(async () => {
        using own = send;
        for (const item of items) await own.send(item);
      });
      const stream = toReadable(receive);
      expect(stream.readableObjectMode).toBe(true);
      expect(await stream.toArray()).toEqual(items);
      expect(receive.isClosed).toBe(false);
    });
  });

  test("of bytes: strings and buffers, and empty ones are no end", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<string | Uint8Array>(0);
      nursery.startSoon(async () => {
        using own = send;
        for (const item of ["one", "", Buffer.alloc(0), new Uint8Array([0x21]), "two", ""]) await own.send(item);
      });
      const stream = toReadable(receive, { objectMode: false });
      expect(stream.readableObjectMode).toBe(false);
      const chunks: Buffer[] = await stream.toArray();
      expect(Buffer.concat(chunks).toString()).toBe("one!two");
    });
  });

  test("what a stream cannot carry destroys it with a TypeError", async () => {
    for (const [item, objectMode] of [
      [null, true],
      [undefined, true],
      [null, false],
      [undefined, false],
      [7, false],
      [{}, false],
    ] as const) {
      await simulate(async (nursery) => {
        const [send, receive] = openMemoryChannel<unknown>(1);
        send.sendNowait(item);
        const stream = toReadable(receive, { objectMode });
        const error = await rejectionOf(stream.toArray());
        expect(error).toBeInstanceOf(TypeError);
        if (item === null || item === undefined)
          expect(error).toEqual(new TypeError(`a stream of Node carries no ${item}: null means its end`));
        expect([stream.destroyed, receive.isClosed, nursery.cancelCalled]).toEqual([true, true, false]);
      });
    }
  });

  test("receives when it is read, and nothing ahead: by iteration, by events, and by a pipe", async () => {
    await simulate(async (nursery) => {
      const seen = { sent: 0 };
      const [send, receive] = openMemoryChannel<number>(0);
      nursery.startSoon(() => count(send, seen), { background: true });
      // One that stays open, so that the producer does not fail on what the others do.
      const last = receive.clone();
      const iterator = toReadable(receive.clone())[Symbol.asyncIterator]();
      await sleep(1);
      expect(seen.sent).toBe(0);
      for (let n = 1; n <= 3; n++) {
        await iterator.next();
        await sleep(1);
        expect(seen.sent).toBe(n);
      }
      await iterator.return?.();

      const paused = toReadable(receive.clone());
      paused.on("data", () => paused.pause());
      for (let n = 4; n <= 6; n++) {
        paused.resume();
        await sleep(1);
        expect(seen.sent).toBe(n);
      }
      paused.destroy();

      const written: number[] = [];
      const waiting: (() => void)[] = [];
      const sink = new Writable({
        objectMode: true,
        highWaterMark: 2,
        write(chunk: number, _, callback) {
          written.push(chunk);
          waiting.push(callback);
        },
      });
      const source = toReadable(receive);
      source.pipe(sink);
      await sleep(1);
      // Two fill the sink, which has said so; and nothing more is received until it drains.
      expect([seen.sent, written]).toEqual([8, [6]]);
      waiting.shift()?.();
      await sleep(1);
      expect([seen.sent, written]).toEqual([8, [6, 7]]);
      waiting.shift()?.();
      await sleep(1);
      expect([seen.sent, written]).toEqual([10, [6, 7, 8]]);
      source.destroy();
      expect(last.isClosed).toBe(false);
    });
  });

  test("a listener that throws is uncaught, as in any emitter, and not a failure of the stream", async () => {
    const boom = new Error("boom");
    const { uncaught, unhandled } = await watchProcess(() =>
      run(async () => {
        const [send, receive] = openMemoryChannel<number>(2);
        send.sendNowait(1);
        send.close();
        const stream = toReadable(receive);
        await new Promise<void>((resolve) => {
          stream.on("data", () => {
            resolve();
            throw boom;
          });
        });
        expect(stream.errored).toBe(null);
        stream.destroy();
      }),
    );
    expect([uncaught, unhandled]).toEqual([[boom], []]);
  });
});

describe("destroying the stream", () => {
  test("closes the receive end, so a producer gets BrokenResourceError; its error is kept", async () => {
    const boom = new Error("boom");
    for (const error of [undefined, boom]) {
      await simulate(async (nursery) => {
        const [send, receive] = openMemoryChannel<number>(0);
        const producer = nursery.startSoon(() => rejectionOf(send.send(1)));
        await sleep(1);
        const stream = toReadable(receive);
        const events = eventsOf(stream);
        stream.destroy(error);
        expect(receive.isClosed).toBe(true);
        expect(await producer.join()).toBeInstanceOf(BrokenResourceError);
        await sleep(1);
        expect(events).toEqual(error === undefined ? ["close"] : ["error", "close"]);
        expect(stream.errored).toBe(error ?? null);
        expect(nursery.cancelCalled).toBe(false);
      });
    }
  });

  test("ends a receive under way without an effect; with preventCancel the end stays open", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const stream = toReadable(receive, { preventCancel: true });
      stream.read();
      await sleep(1);
      expect(receive.statistics().tasksWaitingReceive).toBe(1);
      stream.destroy();
      expect(receive.statistics()).toMatchObject({ tasksWaitingReceive: 0, openReceiveChannels: 1 });
      const sending = send.send(7);
      expect(await receive.receive()).toBe(7);
      await sending;
    });
  });

  test("also by a break out of a loop over it, and by a pipeline that fails", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(2);
      send.sendNowait(1);
      for await (const _ of toReadable(receive)) break;
      expect(receive.isClosed).toBe(true);
      const boom = new Error("boom");
      const other = openMemoryChannel<number>(2);
      other.send.sendNowait(1);
      const sink = new Writable({ objectMode: true, write: (_chunk, _encoding, callback) => callback(boom) });
      expect(await rejectionOf(pipeline(toReadable(other.receive), sink))).toBe(boom);
      expect(other.receive.isClosed).toBe(true);
    });
  });

  test("after its end has no effect", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      send.close();
      const stream = toReadable(receive);
      await stream.toArray();
      stream.destroy();
      expect(receive.isClosed).toBe(false);
    });
  });
});

test("an error of the receive end is one of the stream", async () => {
  await simulate(async () => {
    const [, receive] = openMemoryChannel<number>(0);
    const stream = toReadable(receive);
    const ended = rejectionOf(finished(stream));
    stream.read();
    await sleep(1);
    receive.close();
    expect(await ended).toBeInstanceOf(ClosedResourceError);
  });
});

describe("the scope of the stream", () => {
  test("cancelled: the stream is destroyed with that very Cancelled, and the end is closed", async () => {
    for (const isReading of [false, true]) {
      await simulate(async () => {
        const [, receive] = openMemoryChannel<number>(0);
        const scope = new CancelScope();
        let stream: Readable | undefined;
        let reading: Promise<unknown> | undefined;
        await scope.run(async () => {
          stream = toReadable(receive);
          if (isReading) reading = rejectionOf(stream.toArray());
          await sleep(1);
          scope.cancel("enough");
          expect(stream.destroyed).toBe(true);
          await checkpoint();
        });
        expect(receive.isClosed).toBe(true);
        expect(stream?.errored).toBe(scope.signal.reason);
        if (isReading) expect(await reading).toBe(scope.signal.reason);
        await closedOf(stream as Readable);
      });
    }
  });

  test("left: likewise; with preventCancel the end stays open", async () => {
    await simulate(async () => {
      for (const preventCancel of [false, true]) {
        const [, receive] = openMemoryChannel<number>(0);
        const stream = await openNursery((own) => toReadable(receive, { signal: own.signal, preventCancel }), { name: "short" });
        expect(stream.errored).toBeInstanceOf(Cancelled);
        expect(stream.errored).toMatchObject({ kind: "shutdown", scope: "root > short > toReadable" });
        expect(receive.isClosed).toBe(!preventCancel);
      }
    });
  });

  test("a pipeline in it ends with the cancellation", async () => {
    await simulate(async () => {
      const [, receive] = openMemoryChannel<string>(0);
      const scope = new CancelScope();
      const sink = new Writable({ write: (_chunk, _encoding, callback) => callback() });
      await scope.run(async () => {
        const piping = pipeline(toReadable(receive), sink);
        scope.cancel();
        await piping;
      });
      expect([scope.cancelledCaught, sink.destroyed]).toEqual([true, true]);
    });
  });

  test("is not left behind when the stream is over", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(1);
      toReadable(receive.clone(), nursery).destroy();
      send.close();
      await toReadable(receive, nursery).toArray();
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

test("R13: misuse is refused", async () => {
  const [send, receive] = openMemoryChannel<number>(0);
  expect(thrownBy(() => toReadable(receive))).toBeInstanceOf(MissingScopeError);
  expect(thrownBy(() => toReadable(receive, new AbortController()))).toBeInstanceOf(UsageError);
  expect(thrownBy(() => toReadable(send as never))).toEqual(
    new TypeError("toReadable() takes the receive end of a channel, not a MemorySendChannel"),
  );
});

test("R12, R17: nothing is unhandled or uncaught, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async (nursery) => {
      await moveOnAfter(2, async (scope) => {
        for (const use of [
          (stream: Readable) => void stream,
          (stream: Readable) => void stream.read(),
          (stream: Readable) => void stream.destroy(),
          (stream: Readable) => void stream.on("data", () => {}),
          (stream: Readable) => void stream.pipe(new Writable()),
        ]) {
          for (const where of [scope, nursery]) use(toReadable(openMemoryChannel<number>(0).receive, where));
        }
        await sleep(1_000);
      });
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});
