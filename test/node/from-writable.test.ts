import { Duplex, Writable, type WritableOptions } from "node:stream";
import { finished } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ClosedResourceError,
  Event,
  MissingScopeError,
  moveOnAfter,
  openNursery,
  run,
  type StreamSendChannel,
  select,
  sleep,
  sleepForever,
  timeout,
  UsageError,
} from "../../src/index.js";
import { fromWritable } from "../../src/node/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { eventsOf, listenersOf } from "./stream-support.js";

/** Keeps what is written, each chunk as soon as `take` lets it; at once without a `highWaterMark`. */
function kept<T>(highWaterMark?: number, options: WritableOptions = {}) {
  const waiting: (() => void)[] = [];
  const seen = { written: [] as T[] };
  const stream = new Writable({
    objectMode: true,
    highWaterMark,
    write(chunk: T, _, callback) {
      const done = () => {
        seen.written.push(chunk);
        callback();
      };
      if (highWaterMark === undefined) done();
      else waiting.push(done);
    },
    ...options,
  });
  return Object.assign(seen, { stream, take: () => waiting.shift()?.() });
}

const FORGOTTEN =
  "what fromWritable() made was left without `await close()`, so the stream was aborted, and is not complete. Close it when all has been sent, or say abort()";

describe("sending into a Writable", () => {
  test("writes the values in their order, and close() ends the stream; no listener is left", async () => {
    await simulate(async () => {
      const sink = kept<unknown>();
      const before = listenersOf(sink.stream);
      const events = eventsOf(sink.stream);
      const out = fromWritable<unknown>(sink.stream);
      const values = [1, "two", "", false, { three: 3 }];
      for (const value of values) await out.send(value);
      await out.close();
      expect([sink.written, events]).toEqual([values, ["finish", "close"]]);
      await out.close();
      for (const event of ["end", "finish", "error", "close"]) sink.stream.removeAllListeners(event);
      expect(listenersOf(sink.stream)).toEqual(before);
    });
  });

  test("waits while the stream asks to, before it writes", async () => {
    await simulate(async (nursery) => {
      for (const highWaterMark of [1, 3]) {
        const sink = kept<number>(highWaterMark);
        const out = fromWritable<number>(sink.stream);
        let sent = 0;
        const sending = nursery.startSoon(async () => {
          for (; sent < 7; sent++) await out.send(sent);
          await out.close();
        });
        await sleep(1);
        expect([sent, sink.stream.writableLength]).toEqual([highWaterMark, highWaterMark]);
        for (let i = 0; i < 20; i++) {
          sink.take();
          await sleep(1);
          expect(sink.stream.writableLength).toBeLessThanOrEqual(highWaterMark);
        }
        await sending.join();
        expect(sink.written).toEqual([0, 1, 2, 3, 4, 5, 6]);
      }
    });
  });

  test("R6: a send that was cancelled has not written", async () => {
    await simulate(async () => {
      const sink = kept<string>(1);
      const out = fromWritable<string>(sink.stream);
      await out.send("one");
      expect(await moveOnAfter(1, () => out.send("cancelled").then(() => "sent"))).toBe(undefined);
      sink.take();
      await sleep(1);
      await out.send("two");
      const closing = out.close();
      await sleep(1);
      sink.take();
      await closing;
      expect(sink.written).toEqual(["one", "two"]);
    });
  });

  test("R6: what the stream does with a value may cancel its sender: it has been sent", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const written: string[] = [];
      const stream = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(chunk: string, _, callback) {
          written.push(chunk);
          if (chunk === "stop") scope.cancel();
          setImmediate(callback);
        },
      });
      const out = fromWritable<string>(stream);
      await out.send("first");
      const sent = await scope.run(() => out.send("stop").then(() => "sent"));
      expect([sent, written]).toEqual(["sent", ["first", "stop"]]);
      await out.close();
    });
  });

  test("R11: senders are served in order of arrival", async () => {
    await simulate(async (nursery) => {
      const sink = kept<string>(1);
      const out = fromWritable<string>(sink.stream);
      const senders = ["a", "b", "c", "d"].map((name) => nursery.startSoon(() => out.send(name)));
      for (const _ of senders) {
        await sleep(1);
        sink.take();
      }
      await out.close();
      expect(sink.written).toEqual(["a", "b", "c", "d"]);
    });
  });

  test("R13: what the stream cannot take is refused at once, also where one would have to wait, and changes nothing", async () => {
    await simulate(async () => {
      for (const highWaterMark of [1, 100]) {
        const sink = kept<unknown>(highWaterMark, { objectMode: false });
        const out = fromWritable<unknown>(sink.stream);
        await out.send("bytes");
        for (const [value, name] of [
          [7, "7"],
          [null, "null"],
          [undefined, "undefined"],
          [{}, "an object"],
          [new ArrayBuffer(1), "a ArrayBuffer"],
        ]) {
          const error = new TypeError(
            `this stream takes strings, buffers and typed arrays, not ${name}. One in object mode takes everything`,
          );
          expect(await rejectionOf(out.send(value))).toEqual(error);
          expect(await rejectionOf(select({ out: out.sending(value) }))).toEqual(error);
        }
        sink.take();
        await sleep(1);
        await out.send(new Uint8Array([0x21]));
        sink.take();
        await out.close();
        expect(Buffer.concat(sink.written as Buffer[]).toString()).toBe("bytes!");
      }
      const objects = kept<unknown>();
      const out = fromWritable<unknown>(objects.stream);
      expect(await rejectionOf(out.send(null))).toEqual(new TypeError("a stream of Node takes no null: it means the end"));
      await out.send(undefined);
      await out.close();
      expect(objects.written).toEqual([undefined]);
    });
  });

  test("select takes sending(value) as a case; what was not chosen has not been written", async () => {
    await simulate(async () => {
      const sink = kept<string>(1);
      const out = fromWritable<string>(sink.stream);
      const event = new Event();
      event.set();
      expect((await select({ event, out: out.sending("not this") })).key).toBe("event");
      expect((await select({ out: out.sending("one"), event })).key).toBe("out");
      expect((await select({ out: out.sending("nor this"), late: timeout(5) })).key).toBe("late");
      sink.take();
      await out.close();
      expect(sink.written).toEqual(["one"]);
    });
  });
});

describe("closing the channel", () => {
  test("waits until the stream has finished and is closed", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const stream = new Writable({
        write: (_chunk, _encoding, callback) => callback(),
        final(callback) {
          setImmediate(() => {
            log.push("final");
            callback();
          });
        },
        destroy(_, callback) {
          setImmediate(() => {
            log.push("destroyed");
            callback(null);
          });
        },
      });
      const out = fromWritable(stream);
      await out.send("bytes");
      await out.close();
      log.push("closed");
    });
    expect(log).toEqual(["final", "destroyed", "closed"]);
  });

  test("with preventClose waits until all was written, and leaves the stream open for others", async () => {
    await simulate(async () => {
      const sink = kept<number>(2);
      const before = listenersOf(sink.stream);
      for (const n of [1, 3]) {
        const out = fromWritable<number>(sink.stream, { preventClose: true });
        await out.send(n);
        await out.send(n + 1);
        expect(await moveOnAfter(1, () => out.close().then(() => "closed"))).toBe(undefined);
        sink.take();
        expect(await moveOnAfter(1, () => out.close().then(() => "closed"))).toBe(undefined);
        sink.take();
        await out.close();
        expect(listenersOf(sink.stream)).toEqual(before);
      }
      await fromWritable(sink.stream, { preventClose: true }).close();
      expect([sink.written, sink.stream.writable]).toEqual([[1, 2, 3, 4], true]);
    });
  });

  test("one half of a duplex leaves the other half open", async () => {
    await simulate(async () => {
      const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
      const out = fromWritable(duplex);
      await out.send("bytes");
      await out.close();
      expect([duplex.writableFinished, duplex.readable, duplex.destroyed]).toEqual([true, true, false]);
      duplex.destroy();
    });
  });
});

describe("an error of the stream", () => {
  const boom = new Error("boom");
  const failing = (options: WritableOptions) => kept<number>(1, options).stream;

  test("is thrown by those who wait, and by all that follows: that very object; no listener is left", async () => {
    await simulate(async (nursery) => {
      const stream = failing({ write: (_chunk, _encoding, callback) => void setImmediate(callback, boom) });
      const before = listenersOf(stream);
      const out = fromWritable<number>(stream);
      await out.send(1);
      const waiting = [2, 3].map((n) => nursery.startSoon(() => rejectionOf(out.send(n))));
      for (const each of waiting) expect(await each.join()).toBe(boom);
      expect(await rejectionOf(out.send(4))).toBe(boom);
      expect(await rejectionOf(out.close())).toBe(boom);
      expect(listenersOf(stream)).toEqual(before);
      await sleep(1);
      expect([nursery.cancelCalled, nursery._firstChild]).toEqual([false, undefined]);
    });
  });

  test("is thrown by close(): of a write, of the end, and where the stream throws it itself", async () => {
    await simulate(async () => {
      for (const options of [
        { write: (_chunk: unknown, _encoding: unknown, callback: (error: Error) => void) => callback(boom) },
        { final: (callback: (error: Error) => void) => callback(boom) },
        {
          write() {
            throw boom;
          },
        },
      ]) {
        const out = fromWritable<number>(kept<number>(undefined, options).stream);
        await out.send(1);
        expect(await rejectionOf(out.close())).toBe(boom);
        expect(await rejectionOf(out.close())).toBe(boom);
      }
    });
  });

  test("is thrown by close(), with preventClose, if it is of the last write", async () => {
    await simulate(async () => {
      for (const fail of [
        (callback: (error: Error) => void) => callback(boom),
        (callback: (error: Error) => void) => void setImmediate(callback, boom),
      ]) {
        const stream = failing({ write: (_chunk, _encoding, callback) => fail(callback) });
        const out = fromWritable<number>(stream, { preventClose: true });
        await out.send(1);
        expect(await rejectionOf(out.close())).toBe(boom);
      }
    });
  });

  test("R3: that nobody was told of fails the nursery when the scope is left", async () => {
    for (const isCancelled of [false, true]) {
      const running = simulate(async () => {
        const scope = new CancelScope();
        await scope.run(async () => {
          const stream = failing({});
          fromWritable(stream);
          stream.destroy(boom);
          await sleep(1);
          if (isCancelled) scope.cancel();
        });
      });
      expect(await rejectionOf(running)).toBe(boom);
    }
  });

  test("a stream that is cut off has the platform's error; one that somebody else has ended, ours", async () => {
    await simulate(async () => {
      const cut = kept<number>();
      const out = fromWritable<number>(cut.stream);
      cut.stream.destroy();
      await sleep(1);
      expect(await rejectionOf(out.send(1))).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
      const ended = kept<number>();
      const other = fromWritable<number>(ended.stream);
      ended.stream.end();
      await sleep(1);
      expect(await rejectionOf(other.send(1))).toMatchObject({
        name: "BrokenResourceError",
        message: "the stream has been ended by somebody else, so nothing can be sent into it any more",
      });
    });
  });
});

describe("aborting the channel", () => {
  test("destroys the stream; what waits and what follows gets ClosedResourceError; no listener is left", async () => {
    await simulate(async (nursery) => {
      const sink = kept<number>(1);
      const before = listenersOf(sink.stream);
      const out = fromWritable<number>(sink.stream);
      await out.send(1);
      const waiting = nursery.startSoon(() => rejectionOf(out.send(2)));
      await sleep(1);
      out.abort("enough");
      expect(await waiting.join()).toBeInstanceOf(ClosedResourceError);
      expect(await rejectionOf(out.close())).toMatchObject({ name: "ClosedResourceError", cause: "enough" });
      await sleep(1);
      expect([sink.stream.closed, sink.stream.errored, listenersOf(sink.stream)]).toEqual([true, null, before]);
    });
  });

  test("with preventAbort removes our listeners only", async () => {
    await simulate(async () => {
      const sink = kept<number>();
      const before = listenersOf(sink.stream);
      const out = fromWritable<number>(sink.stream, { preventAbort: true });
      await out.send(1);
      out.abort();
      await moveOnAfter(1, async () => {
        fromWritable<number>(sink.stream, { preventAbort: true });
        await sleepForever();
      });
      expect(listenersOf(sink.stream)).toEqual(before);
      sink.stream.end(2);
      await finished(sink.stream);
      expect(sink.written).toEqual([1, 2]);
    });
  });
});

describe("the scope of the channel", () => {
  test("cancelled: the stream is destroyed, and the scope is not left before that is closed", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const sink = kept<number>(1, {
          destroy(error, callback) {
            log.push(`destroying with ${error}`);
            setImmediate(callback, new Error("of no interest"));
          },
        });
        sink.stream.on("close", () => log.push("close"));
        const out = fromWritable<number>(sink.stream);
        await out.send(1);
        scope.cancel();
        await out.send(2);
      });
      log.push("left");
    });
    expect(log).toEqual(["destroying with null", "close", "left"]);
  });

  test("left without close(): a UsageError that fails the nursery, and the stream is destroyed", async () => {
    const sink = kept<number>();
    const running = simulate(async () => {
      await fromWritable<number>(sink.stream).send(1);
    });
    expect(await rejectionOf(running)).toEqual(new UsageError(FORGOTTEN));
    expect([sink.stream.destroyed, sink.stream.writableFinished]).toEqual([true, false]);
  });

  test("is not left behind when the stream is over", async () => {
    await simulate(async (nursery) => {
      await fromWritable(kept().stream).close();
      fromWritable(kept().stream).abort();
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

test("R13: misuse is refused, and the stream is not touched", async () => {
  const { stream } = kept();
  const before = listenersOf(stream);
  expect(thrownBy(() => fromWritable(stream))).toBeInstanceOf(MissingScopeError);
  expect(thrownBy(() => fromWritable(stream, new AbortController()))).toBeInstanceOf(UsageError);
  expect(listenersOf(stream)).toEqual(before);
  await run(() => {
    for (const [given, name] of [
      [undefined, "undefined"],
      [new WritableStream(), "a WritableStream"],
    ] as const) {
      expect(thrownBy(() => fromWritable(given as never))).toEqual(
        new TypeError(`fromWritable() takes a Writable of Node, not ${name}. For a WritableStream there is fromWritableStream() of creche`),
      );
    }
  });
});

test("R12, R17: nothing is unhandled or uncaught, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async () => {
      await moveOnAfter(2, async () => {
        for (const use of [
          (out: StreamSendChannel<number>) => void out,
          (out: StreamSendChannel<number>) => void Promise.all([out.send(1), out.send(2)]).catch(() => {}),
          (out: StreamSendChannel<number>) => void out.send(1),
          (out: StreamSendChannel<number>) => void out.close(),
          (out: StreamSendChannel<number>) => void out.abort(),
        ]) {
          use(fromWritable<number>(kept<number>(1).stream));
          use(fromWritable<number>(kept<number>().stream));
        }
        await sleepForever();
      });
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});

const senders = fc.array(
  fc.record({
    arrives: fc.nat({ max: 5 }),
    sends: fc.integer({ min: 1, max: 4 }),
    cancelledAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 6 },
);

test("R6, R11: what was sent is written, once and in order, and nothing else, whoever is cancelled when, at any schedule", async () => {
  const programs = fc.tuple(senders, fc.array(fc.nat({ max: 3 }), { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), schedules());
  await fc.assert(
    fc.asyncProperty(programs, async ([program, pauses, highWaterMark, schedule]) => {
      await simulate(
        async (root) => {
          const written: number[] = [];
          const stream = new Writable({
            objectMode: true,
            highWaterMark,
            write(call: number, _, callback) {
              const pause = pauses[written.length] ?? 0;
              written.push(call);
              expect(this.writableLength).toBeLessThanOrEqual(highWaterMark);
              if (pause === 0) callback();
              else root.startSoon(() => sleep(pause).then(() => callback()), { background: true });
            },
          });
          const out = fromWritable<number>(stream, root);
          let asked = 0;
          const sent: number[] = [];
          await openNursery((nursery) => {
            for (const { arrives, sends, cancelledAt } of program) {
              const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
              nursery.startSoon(() =>
                scope.run(async () => {
                  await sleep(arrives);
                  for (let i = 0; i < sends; i++) {
                    const call = asked++;
                    await out.send(call);
                    sent.push(call);
                  }
                }),
              );
            }
          });
          await out.close();
          expect(written).toEqual(sent.sort((a, b) => a - b));
        },
        { pick: pickOf(schedule) },
      );
    }),
    { numRuns: 300 },
  );
});
