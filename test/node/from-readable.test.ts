import { Duplex, PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  Event,
  MissingScopeError,
  moveOnAfter,
  openNursery,
  run,
  type StreamReceiveChannel,
  select,
  sleep,
  sleepForever,
  timeout,
  toReadableStream,
  UsageError,
} from "../../src/index.js";
import { fromReadable, toReadable } from "../../src/node/index.js";
import { collect } from "../bridges/stream-support.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { eventsOf, listenersOf } from "./stream-support.js";

/** Counts from 1 to `end`, and how often it was asked. */
function counting(end = Number.POSITIVE_INFINITY, highWaterMark = 0) {
  const seen = { made: 0 };
  const stream = new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      this.push(seen.made === end ? null : ++seen.made);
    },
  });
  return Object.assign(seen, { stream });
}

/** One that is fed by hand. */
function fed(options: { objectMode?: boolean; emitClose?: boolean; autoDestroy?: boolean } = { objectMode: true }): Readable {
  return new Readable({ ...options, read() {} });
}

async function all<T>(channel: StreamReceiveChannel<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of channel) items.push(item);
  return items;
}

describe("receiving from a Readable", () => {
  test("gives its objects in their order, then EndOfChannel, each time; and leaves no listener", async () => {
    await simulate(async () => {
      const { stream } = counting(3);
      const before = listenersOf(stream);
      const channel = fromReadable<number>(stream);
      expect([await channel.receive(), await channel.receive(), await channel.receive()]).toEqual([1, 2, 3]);
      expect(await rejectionOf(channel.receive())).toEqual(new EndOfChannel("the stream is at its end"));
      expect(await rejectionOf(channel.receive())).toBeInstanceOf(EndOfChannel);
      expect([stream.closed, channel.isClosed, listenersOf(stream)]).toEqual([true, false, before]);
    });
  });

  test("of any kind: from arrays, of objects, of bytes, of strings, with nothing in it", async () => {
    await simulate(async () => {
      expect(await all(fromReadable<unknown>(Readable.from([1, undefined, "two", { three: 3 }])))).toEqual([
        1,
        undefined,
        "two",
        { three: 3 },
      ]);
      expect(await all(fromReadable(Readable.from([])))).toEqual([]);
      const bytes = fed({});
      for (const text of ["one", "two", "three"]) bytes.push(text);
      bytes.push(null);
      expect(Buffer.concat(await all(fromReadable(bytes))).toString()).toBe("onetwothree");
      const text = fed({}).setEncoding("utf8");
      for (const byte of Buffer.from("é")) text.push(Buffer.of(byte));
      text.push(null);
      expect(await all(fromReadable<string>(text))).toEqual(["é"]);
      const through = new PassThrough({ objectMode: true });
      through.end("last");
      expect(await all(fromReadable<string>(through))).toEqual(["last"]);
    });
  });

  test("begins to read when somebody receives; what is read ahead is the stream's own highWaterMark", async () => {
    await simulate(async () => {
      for (const highWaterMark of [0, 1, 3]) {
        const source = counting(Number.POSITIVE_INFINITY, highWaterMark);
        const channel = fromReadable<number>(source.stream);
        await sleep(1);
        expect(source.made).toBe(0);
        for (let n = 1; n <= 5; n++) {
          expect(await channel.receive()).toBe(n);
          await sleep(1);
          expect(source.made).toBeLessThanOrEqual(n + Math.max(1, highWaterMark));
        }
      }
    });
  });

  test("R6: a chunk that came for a receive that was cancelled is kept for the next one", async () => {
    await simulate(async () => {
      const stream = fed();
      const channel = fromReadable<string>(stream);
      expect(await moveOnAfter(1, () => channel.receive())).toBe(undefined);
      stream.push("kept");
      await sleep(1);
      stream.push("next");
      stream.push(null);
      await sleep(1);
      expect(await channel.receive()).toBe("kept");
      expect(await channel.receive()).toBe("next");
      expect(await rejectionOf(channel.receive())).toBeInstanceOf(EndOfChannel);
    });
  });

  test("R6: reading may cancel who waits for it: the chunk is for the next one", async () => {
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      let made = 0;
      const stream = new Readable({
        objectMode: true,
        highWaterMark: 2,
        read() {
          if (made > 0) scope.cancel();
          setImmediate(() => this.push(made++));
        },
      });
      const channel = fromReadable<number>(stream);
      await nursery.startSoon(() => scope.run(() => channel.receive())).join();
      expect(scope.cancelledCaught).toBe(true);
      expect(await channel.receive()).toBe(0);
      expect(await channel.receive()).toBe(1);
    });
  });

  test("its end is seen, also if it comes while a chunk is at hand that nobody has received", async () => {
    for (const objectMode of [true, false]) {
      await simulate(async () => {
        const stream = fed({ objectMode });
        const channel = fromReadable<string>(stream.setEncoding("utf8"));
        await moveOnAfter(1, () => channel.receive());
        stream.push("only");
        await sleep(1);
        stream.push(null);
        await sleep(1);
        expect(await all(channel)).toEqual(["only"]);
        expect(stream.readableEnded).toBe(true);
      });
    }
  });

  test("R11: receivers are served in order of arrival", async () => {
    await simulate(async (nursery) => {
      const stream = fed();
      const channel = fromReadable<number>(stream);
      const log: string[] = [];
      for (const name of ["a", "b", "c"]) nursery.startSoon(async () => void log.push(name + (await channel.receive())));
      await sleep(1);
      for (let n = 0; n < 4; n++) stream.push(n);
      log.push(`d${await channel.receive()}`);
      expect(log).toEqual(["a0", "b1", "c2", "d3"]);
    });
  });

  test("select takes it as a case; what was not chosen has taken nothing", async () => {
    await simulate(async () => {
      const stream = fed();
      const channel = fromReadable<string>(stream);
      const event = new Event();
      expect(await select({ channel, late: timeout(5) })).toEqual({ key: "late", value: undefined });
      stream.push("one");
      event.set();
      expect(await select({ event, channel })).toEqual({ key: "event", value: undefined });
      expect(await select({ channel, event })).toEqual({ key: "channel", value: "one" });
      stream.push(null);
      expect(await rejectionOf(select({ channel, late: timeout(5) }))).toBeInstanceOf(EndOfChannel);
    });
  });

  test("goes on into other streams: it is a receive end", async () => {
    await simulate(async () => {
      expect(await collect(toReadableStream(fromReadable(counting(3).stream)))).toEqual([1, 2, 3]);
      expect(await toReadable(fromReadable(counting(3).stream)).toArray()).toEqual([1, 2, 3]);
    });
  });

  test("a stream that has ended already, or was destroyed, or has failed, says so", async () => {
    await simulate(async () => {
      const ended = counting(2).stream;
      await ended.toArray();
      expect(await rejectionOf(fromReadable(ended).receive())).toBeInstanceOf(EndOfChannel);
      const destroyed = fed().destroy();
      expect(await rejectionOf(fromReadable(destroyed).receive())).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
      const boom = new Error("boom");
      const failed = fed();
      failed.on("error", () => {});
      failed.destroy(boom);
      expect(await rejectionOf(fromReadable(failed).receive())).toBe(boom);
      await sleep(1);
      expect(await rejectionOf(fromReadable(failed).receive())).toBe(boom);
    });
  });
});

describe("an error of the stream", () => {
  test("is thrown where one receives: that very object, each time, to all who wait, and leaves no listener", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      const stream = fed();
      const before = listenersOf(stream);
      const channel = fromReadable(stream);
      const waiting = [1, 2].map(() => nursery.startSoon(() => rejectionOf(channel.receive())));
      await sleep(1);
      stream.destroy(boom);
      for (const each of waiting) expect(await each.join()).toBe(boom);
      expect(await rejectionOf(channel.receive())).toBe(boom);
      expect(listenersOf(stream)).toEqual(before);
    });
  });

  test("before the first receive is not uncaught, and is kept for it; what nobody receives is nobody's", async () => {
    const boom = new Error("boom");
    const { uncaught, unhandled } = await watchProcess(() =>
      run(async () => {
        const [stream, other] = [fed(), fed()];
        const channel = fromReadable(stream);
        fromReadable(other);
        stream.destroy(boom);
        other.destroy(boom);
        await sleep(1);
        expect(await rejectionOf(channel.receive())).toBe(boom);
      }),
    );
    expect([uncaught, unhandled]).toEqual([[], []]);
  });

  test("a stream that is cut off is no end: it has the platform's error", async () => {
    await simulate(async () => {
      const stream = fed();
      const channel = fromReadable(stream);
      const receiving = rejectionOf(channel.receive());
      await sleep(1);
      stream.destroy();
      expect(await receiving).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    });
  });
});

describe("closing the channel", () => {
  test("destroys the stream, without an error, and leaves no listener; those who wait get ClosedResourceError", async () => {
    await simulate(async (nursery) => {
      const stream = fed();
      const before = listenersOf(stream);
      const channel = fromReadable(stream);
      const waiting = nursery.startSoon(() => rejectionOf(channel.receive()));
      await sleep(1);
      channel.close();
      channel.close();
      expect(await waiting.join()).toEqual(
        new ClosedResourceError("this channel from a stream cannot receive any more: it was closed by its own side"),
      );
      await sleep(1);
      expect([stream.closed, stream.errored, listenersOf(stream)]).toEqual([true, null, before]);
    });
  });

  test("is what a break out of a loop does; but not with preventCancel for the loop", async () => {
    await simulate(async () => {
      const source = counting();
      const channel = fromReadable<number>(source.stream);
      for await (const _ of channel.values({ preventCancel: true })) break;
      expect(source.stream.destroyed).toBe(false);
      for await (const n of channel) {
        expect(n).toBe(2);
        break;
      }
      expect(source.stream.destroyed).toBe(true);
    });
  });

  test("with preventCancel removes our listeners only: somebody else reads on, and nothing is lost", async () => {
    await simulate(async () => {
      const source = counting(5, 2);
      const before = listenersOf(source.stream);
      const channel = fromReadable<number>(source.stream, { preventCancel: true });
      expect(await channel.receive()).toBe(1);
      await moveOnAfter(0, () => channel.receive());
      channel.close();
      await sleep(1);
      expect(listenersOf(source.stream)).toEqual(before);
      const rest = await source.stream.toArray();
      expect(rest).toEqual([2, 3, 4, 5]);

      const stream = fed({}).setEncoding("utf8");
      const other = fromReadable<string>(stream, { preventCancel: true });
      await moveOnAfter(1, () => other.receive());
      stream.push("at hand");
      await sleep(1);
      other.close();
      stream.push(", and more");
      stream.push(null);
      expect((await stream.toArray()).join("")).toBe("at hand, and more");
    });
  });

  test("an error that comes of being destroyed is of no interest: nobody receives any more", async () => {
    const boom = new Error("boom");
    const { uncaught, unhandled } = await watchProcess(() =>
      run(async (nursery) => {
        const stream = new Readable({ read() {}, destroy: (_, callback) => callback(boom) });
        fromReadable(stream).close();
        await sleep(1);
        expect([stream.errored, nursery.cancelCalled]).toEqual([boom, false]);
      }),
    );
    expect([uncaught, unhandled]).toEqual([[], []]);
  });
});

describe("the scope of the channel", () => {
  test("left: the stream is destroyed, and it is not left before that is closed", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const stream = new Readable({
        read() {},
        destroy(_, callback) {
          log.push("destroying");
          setImmediate(() => {
            log.push("destroyed");
            callback(null);
          });
        },
      });
      stream.on("close", () => log.push("close"));
      await openNursery(() => void fromReadable(stream));
      log.push("left");
    });
    expect(log).toEqual(["destroying", "destroyed", "close", "left"]);
  });

  test("cancelled: likewise, while it is being read", async () => {
    await simulate(async () => {
      const stream = fed();
      const events = eventsOf(stream);
      const scope = new CancelScope();
      await scope.run(async () => {
        const channel = fromReadable(stream);
        const receiving = channel.receive();
        await sleep(1);
        scope.cancel();
        await receiving;
      });
      expect([events, scope.cancelledCaught]).toEqual([["close"], true]);
    });
  });

  test("is not held up by a stream that never says that it is closed, nor by one that is closed already", async () => {
    await simulate(async () => {
      await openNursery(() => void fromReadable(fed({ emitClose: false })));
      const stream = fed();
      await openNursery(async () => {
        fromReadable(stream);
        stream.destroy();
      });
      expect(stream.closed).toBe(true);
    });
  });

  test("one half of a duplex that has ended leaves the other half open", async () => {
    await simulate(async () => {
      const written: string[] = [];
      const duplex = new Duplex({
        decodeStrings: false,
        read() {
          this.push(null);
        },
        write(chunk, _, callback) {
          written.push(chunk);
          callback();
        },
      });
      expect(await all(fromReadable(duplex))).toEqual([]);
      await new Promise((resolve) => duplex.write("still open", resolve));
      expect([written, duplex.destroyed]).toEqual([["still open"], false]);
      duplex.destroy();
    });
  });

  test("is not left behind when the stream is over", async () => {
    await simulate(async (nursery) => {
      await all(fromReadable(counting(2).stream));
      fromReadable(fed()).close();
      const stream = fed();
      fromReadable(stream);
      stream.destroy();
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

test("R13: misuse is refused, and the stream is not touched", async () => {
  const stream = fed();
  const before = listenersOf(stream);
  expect(thrownBy(() => fromReadable(stream))).toBeInstanceOf(MissingScopeError);
  expect(thrownBy(() => fromReadable(stream, new AbortController()))).toBeInstanceOf(UsageError);
  expect(listenersOf(stream)).toEqual(before);
  await run(() => {
    for (const [given, name] of [
      [undefined, "undefined"],
      [new ReadableStream(), "a ReadableStream"],
    ] as const) {
      expect(thrownBy(() => fromReadable(given as never))).toEqual(
        new TypeError(`fromReadable() takes a Readable of Node, not ${name}. For a ReadableStream there is fromReadableStream() of creche`),
      );
    }
  });
});

test("R13: a stream that somebody else reads already is refused: what came meanwhile would be lost", async () => {
  await run(() => {
    for (const read of [
      (stream: Readable) => stream.on("data", () => {}),
      (stream: Readable) => stream.pipe(new PassThrough()),
      (stream: Readable) => stream.resume(),
    ]) {
      const stream = fed();
      read(stream);
      expect(thrownBy(() => fromReadable(stream))).toEqual(
        new UsageError(
          "fromReadable() takes a stream that nobody else reads, and this one flows already: it has a `data` listener, is piped, or was resumed",
        ),
      );
    }
    fromReadable(fed().pause());
  });
});

test("R12, R17: nothing is unhandled or uncaught, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async () => {
      await moveOnAfter(2, async () => {
        for (const use of [
          (channel: StreamReceiveChannel<unknown>) => void channel,
          (channel: StreamReceiveChannel<unknown>) => void channel.receive(),
          (channel: StreamReceiveChannel<unknown>) => void channel.close(),
          (channel: StreamReceiveChannel<unknown>) => void channel.values().next(),
        ]) {
          use(fromReadable(fed()));
        }
        await sleepForever();
      });
      await checkpoint();
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});

const receivers = fc.array(
  fc.record({
    arrives: fc.nat({ max: 5 }),
    takes: fc.integer({ min: 1, max: 4 }),
    cancelledAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 6 },
);

test("R6, R11: no object is lost, doubled or out of order, whoever is cancelled when, at any schedule", async () => {
  const programs = fc.tuple(
    receivers,
    fc.array(fc.nat({ max: 3 }), { maxLength: 20 }),
    fc.nat({ max: 3 }),
    fc.nat({ max: 12 }),
    schedules(),
  );
  await fc.assert(
    fc.asyncProperty(programs, async ([program, pauses, highWaterMark, end, schedule]) => {
      await simulate(
        async (root) => {
          let made = 0;
          const stream = new Readable({
            objectMode: true,
            highWaterMark,
            read() {
              const n = made++;
              const give = () => void this.push(n < end ? n : null);
              const pause = pauses[n] ?? 0;
              if (pause === 0) give();
              else root.startSoon(() => sleep(pause).then(give), { background: true });
            },
          });
          const channel = fromReadable<number>(stream, root);
          const received = new Map<number, number>();
          let asked = 0;
          let ends = 0;
          await openNursery((nursery) => {
            for (const { arrives, takes, cancelledAt } of program) {
              const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
              nursery.startSoon(() =>
                scope.run(async () => {
                  await sleep(arrives);
                  for (let i = 0; i < takes; i++) {
                    const call = asked++;
                    try {
                      received.set(call, await channel.receive());
                    } catch (error) {
                      if (!(error instanceof EndOfChannel)) throw error;
                      ends++;
                    }
                  }
                }),
              );
            }
          });
          const inOrderOfCalls = [...received].sort(([a], [b]) => a - b).map(([, chunk]) => chunk);
          expect(inOrderOfCalls).toEqual(inOrderOfCalls.map((_, i) => i));
          if (ends > 0) expect(received.size).toBe(end);
          expect(await all(channel)).toEqual(Array.from({ length: end - received.size }, (_, i) => received.size + i));
        },
        { pick: pickOf(schedule) },
      );
    }),
    { numRuns: 300 },
  );
});
