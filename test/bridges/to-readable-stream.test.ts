import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  DeadlockError,
  Event,
  MissingScopeError,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  toReadableStream,
  UsageError,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { collect } from "./stream-support.js";

describe("a readable stream of a receive end", () => {
  test("has the items in their order, and ends with the channel", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<unknown>(2);
      const items = [1, "two", undefined, null, { three: 3 }];
      nursery.startSoon(async () => {
        using own = send;
        for (const item of items) await own.send(item);
      });
      expect(await collect(toReadableStream(receive))).toEqual(items);
    });
  });

  test("leaves the receive end open at the end of the channel, as a loop over it does", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      send.close();
      expect(await collect(toReadableStream(receive))).toEqual([]);
      expect(receive.isClosed).toBe(false);
    });
  });

  test("passes a promise on as it is", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<object>(2);
      const promise = Promise.resolve("value");
      const stream = toReadableStream(receive);
      send.sendNowait({ promise });
      const reader = stream.getReader();
      expect(await reader.read()).toEqual({ done: false, value: { promise } });
    });
  });

  test("receives when it is read, and nothing ahead", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      let sent = 0;
      nursery.startSoon(
        async () => {
          for (;;) {
            await send.send(sent);
            sent++;
          }
        },
        { background: true },
      );
      const reader = toReadableStream(receive).getReader();
      await sleep(1);
      expect(sent).toBe(0);
      for (let read = 1; read <= 3; read++) {
        await reader.read();
        await sleep(1);
        expect(sent).toBe(read);
      }
    });
  });

  test("behind pipeThrough, what is on its way is bounded by the transformer's own queues", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(3);
      let sent = 0;
      nursery.startSoon(
        async () => {
          for (;;) {
            await send.send(sent);
            sent++;
          }
        },
        { background: true },
      );
      const transform = new TransformStream<number, number>({}, { highWaterMark: 2 }, { highWaterMark: 1 });
      const reader = toReadableStream(receive).pipeThrough(transform).getReader();
      await sleep(1);
      // Three in the channel, two and one in the queues.
      expect(sent).toBe(6);
      expect((await reader.read()).value).toBe(0);
      await sleep(1);
      expect(sent).toBe(7);
    });
  });

  test("R5: reading it lets timers and I/O have their turn, however much there is to read", async () => {
    await run(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
      const total = 300_000;
      for (let i = 0; i < total; i++) send.sendNowait(i);
      let isDue = false;
      setTimeout(() => {
        isDue = true;
      }, 1);
      const reader = toReadableStream(receive).getReader();
      let read = 0;
      while (!isDue && read < total) {
        await reader.read();
        read++;
      }
      expect(isDue).toBe(true);
      nursery.cancel();
    });
  });

  test("in a deadlock, is named with what it waits for, and so is what waits for it", async () => {
    const [, receive] = openMemoryChannel<number>(0);
    const stuck = simulate(() => toReadableStream(receive).getReader().read(), { settleMs: 1 });
    expect(await rejectionOf(stuck)).toMatchObject({
      name: DeadlockError.name,
      waiting: [
        { task: "root > toReadableStream", op: "stream", on: "" },
        { task: "root > toReadableStream", op: "receive", on: "MemoryReceiveChannel" },
      ],
      message: expect.stringContaining("\n  main waits for something that is not of this library"),
    });
  });

  test("is read by whoever, in a scope or in none", async () => {
    let reading: Promise<unknown[]> | undefined;
    let begin = (_stream: ReadableStream<number>) => {};
    const begun = new Promise<ReadableStream<number>>((resolve) => {
      begin = resolve;
    });
    const outside = begun.then((stream) => {
      reading = collect(stream);
      return reading;
    });
    await run(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      begin(toReadableStream(receive));
      nursery.startSoon(async () => {
        using own = send;
        for (let i = 0; i < 3; i++) await own.send(i);
      });
      await outside;
    });
    expect(await reading).toEqual([0, 1, 2]);
  });
});

describe("cancelling the stream", () => {
  test("closes the receive end, so a producer gets BrokenResourceError", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const producer = nursery.startSoon(() => rejectionOf(send.send(1)));
      await sleep(1);
      await toReadableStream(receive).cancel("enough");
      expect(await producer.join()).toBeInstanceOf(BrokenResourceError);
      expect(receive.isClosed).toBe(true);
    });
  });

  test("also by a break out of a loop over it", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(2);
      send.sendNowait(1);
      send.sendNowait(2);
      for await (const item of toReadableStream(receive)) if (item === 1) break;
      expect(receive.isClosed).toBe(true);
    });
  });

  test("ends a receive under way without an effect; with preventCancel the end stays open", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const reader = toReadableStream(receive, { preventCancel: true }).getReader();
      const reading = reader.read();
      await sleep(1);
      expect(receive.statistics().tasksWaitingReceive).toBe(1);
      await reader.cancel();
      expect(await reading).toEqual({ done: true, value: undefined });
      expect(receive.statistics()).toMatchObject({ tasksWaitingReceive: 0, openReceiveChannels: 1 });
      const sending = send.send(7);
      expect(await receive.receive()).toBe(7);
      await sending;
    });
  });

  test("right after an item was sent: the item has been read", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const reader = toReadableStream(receive, { preventCancel: true }).getReader();
      const reading = reader.read();
      await sleep(1);
      send.sendNowait(7);
      const cancelling = reader.cancel();
      expect(await reading).toEqual({ done: false, value: 7 });
      await cancelling;
    });
  });

  test("closes one clone of the end: the others go on", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      const other = receive.clone();
      await toReadableStream(receive).cancel();
      await send.send(1);
      expect(await other.receive()).toBe(1);
    });
  });
});

describe("an error", () => {
  test("of the receive end is one of the stream: if it is closed by its own side", async () => {
    await simulate(async () => {
      const [, receive] = openMemoryChannel<number>(0);
      const reader = toReadableStream(receive).getReader();
      const reading = rejectionOf(reader.read());
      await sleep(1);
      receive.close();
      const error = await reading;
      expect(error).toBeInstanceOf(ClosedResourceError);
      expect(await rejectionOf(reader.read())).toBe(error);
      expect(await rejectionOf(reader.closed)).toBe(error);
    });
  });

  test("lets go of the scope: it can be left, and nothing waits in it", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const scope = new CancelScope();
      await scope.run(async () => {
        receive.close();
        await rejectionOf(toReadableStream(receive).getReader().read());
        await checkpoint();
      });
      expect(scope.cancelCalled).toBe(false);
      expect(send.statistics().openReceiveChannels).toBe(0);
    });
  });
});

describe("the scope of the stream", () => {
  test("cancelled: the stream errors with that very Cancelled, whether somebody reads or not, and the end is closed", async () => {
    for (const isReading of [false, true]) {
      await simulate(async () => {
        const [send, receive] = openMemoryChannel<number>(0);
        const scope = new CancelScope();
        let reader: ReadableStreamDefaultReader<number> | undefined;
        let reading: Promise<unknown> | undefined;
        await scope.run(async () => {
          reader = toReadableStream(receive).getReader();
          if (isReading) reading = rejectionOf(reader.read());
          await sleep(1);
          scope.cancel("enough");
          await checkpoint();
        });
        expect([scope.cancelledCaught, receive.isClosed]).toEqual([true, true]);
        const error = scope.signal.reason;
        if (isReading) expect(await reading).toBe(error);
        expect(await rejectionOf(reader?.read() as Promise<unknown>)).toBe(error);
        expect(await rejectionOf(send.send(1))).toBeInstanceOf(BrokenResourceError);
      });
    }
  });

  test("left: the stream errors with a Cancelled that says so", async () => {
    await simulate(async () => {
      const [, receive] = openMemoryChannel<number>(1);
      const stream = await openNursery(() => toReadableStream(receive), { name: "short" });
      const error = await rejectionOf(stream.getReader().read());
      expect(error).toBeInstanceOf(Cancelled);
      expect(error).toMatchObject({ kind: "shutdown", scope: "root > short > toReadableStream" });
      expect(receive.isClosed).toBe(true);
    });
  });

  test("with preventCancel the end stays open in both cases", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      await openNursery(() => void toReadableStream(receive, { preventCancel: true }));
      await moveOnAfter(1, () => {
        void toReadableStream(receive, { preventCancel: true })
          .getReader()
          .read()
          .catch(() => {});
        return sleepForever();
      });
      send.sendNowait(1);
      expect(receive.receiveNowait()).toBe(1);
    });
  });

  test("is the one that is passed, also as a signal; else the ambient one", async () => {
    await simulate(async (nursery) => {
      const outer = new CancelScope({ name: "outer" });
      await outer.run(async () => {
        const ends = [0, 1, 2].map(() => openMemoryChannel<number>(0).receive);
        await new CancelScope().run(() => {
          toReadableStream(ends[0] as never);
          toReadableStream(ends[1] as never, outer);
          toReadableStream(ends[2] as never, { signal: nursery.signal });
        });
        expect(ends.map((end) => end.isClosed)).toEqual([true, false, false]);
        outer.cancel();
        await shield(() => sleep(1));
        expect(ends.map((end) => end.isClosed)).toEqual([true, true, false]);
      });
    });
  });

  test("may be a foreign signal inside a run: aborting it is what cancels, and no listener is left", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(controller.signal, given);
    };
    controller.signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(controller.signal, given);
    };
    await run(async () => {
      const [first, second] = [openMemoryChannel<number>(0), openMemoryChannel<number>(0)];
      const reader = toReadableStream(first.receive, { signal: controller.signal }).getReader();
      const other = toReadableStream(second.receive, { signal: controller.signal });
      expect(listeners).toBe(1);
      await other.cancel();
      controller.abort("enough");
      expect(await rejectionOf(reader.read())).toMatchObject({ kind: "signal", cause: "enough" });
      await sleep(1);
      expect(listeners).toBe(0);
    });
  });

  test("cancelled before: the stream is over at once, and nothing is thrown", async () => {
    await simulate(async () => {
      const [, receive] = openMemoryChannel<number>(0);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        const stream = toReadableStream(receive);
        expect(await rejectionOf(stream.getReader().read())).toBe(scope.signal.reason);
        expect(receive.isClosed).toBe(true);
      });
    });
  });

  test("left: who sends from the background of the same nursery is cancelled, and does not fail on the closed end", async () => {
    for (const isBefore of [true, false]) {
      await simulate(async () => {
        await openNursery(async (nursery) => {
          const [send, receive] = openMemoryChannel<number>(0);
          const start = () => void nursery.startSoon(() => send.send(1), { background: true });
          if (isBefore) start();
          toReadableStream(receive);
          if (!isBefore) start();
          await sleep(1);
        });
      });
    }
  });

  test("is not held up by the stream, which lives like a task in the background", async () => {
    await simulate(async (nursery) => {
      const [, receive] = openMemoryChannel<number>(0);
      const inner = nursery.startSoon(() => openNursery((own) => void toReadableStream(receive, own)));
      await inner.join();
      expect(receive.isClosed).toBe(true);
    });
  });

  test("is not left behind when the stream is over: nothing is kept in it", async () => {
    await simulate(async (nursery) => {
      for (let i = 0; i < 3; i++) {
        const [send, receive] = openMemoryChannel<number>(1);
        send.sendNowait(i);
        send.close();
        await collect(toReadableStream(receive, nursery));
        const [, unread] = openMemoryChannel<number>(1);
        await toReadableStream(unread, nursery).cancel();
        const [, closed] = openMemoryChannel<number>(1);
        closed.close();
        await rejectionOf(toReadableStream(closed, nursery).getReader().read());
      }
      await sleep(1);
      expect([nursery._firstWaiter, nursery._rare?.cleanups]).toEqual([undefined, undefined]);
      expect([...nursery.tasks]).toEqual([]);
      expect(nursery._firstChild).toBe(undefined);
    });
  });
});

describe("misuse", () => {
  test("R13: what is no receive end is refused", async () => {
    await run(() => {
      const [send] = openMemoryChannel<number>(0);
      const wrong: [unknown, string][] = [
        [send, "a MemorySendChannel"],
        [{ receive() {} }, "an object"],
        [{ close() {} }, "an object"],
        [{ receive() {}, close() {} }, "an object"],
        [new Event(), "a Event"],
        [undefined, "undefined"],
        [new ReadableStream(), "a ReadableStream"],
      ];
      for (const [given, name] of wrong) {
        expect(thrownBy(() => toReadableStream(given as never))).toEqual(
          new TypeError(`toReadableStream() takes the receive end of a channel, not ${name}`),
        );
      }
    });
  });

  test("R13: without a scope, in an ended one, and where there is no nursery around it", async () => {
    const [, receive] = openMemoryChannel<number>(0);
    expect(thrownBy(() => toReadableStream(receive))).toBeInstanceOf(MissingScopeError);
    const { signal } = new AbortController();
    expect(thrownBy(() => toReadableStream(receive, { signal }))).toEqual(
      new UsageError(
        "toReadableStream() needs a nursery around it, which is told if the stream fails with nobody else to tell, and there is none under a foreign signal alone: use it inside run()",
      ),
    );
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => toReadableStream(receive, scope))).toBeInstanceOf(ScopeEndedError);
    });
    expect(receive.isClosed).toBe(false);
  });
});

test("R12, R17: nothing is unhandled, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async (nursery) => {
      const scope = new CancelScope();
      await scope.run(async () => {
        for (const use of [
          (stream: ReadableStream<number>) => void stream,
          (stream: ReadableStream<number>) => void stream.getReader(),
          (stream: ReadableStream<number>) => void stream.tee(),
          (stream: ReadableStream<number>) => void stream.cancel(),
        ]) {
          for (const where of [undefined, nursery]) use(toReadableStream(openMemoryChannel<number>(0).receive, where));
        }
        await sleep(1);
        scope.cancel();
      });
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});
