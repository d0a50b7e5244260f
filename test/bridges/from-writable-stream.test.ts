import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ClosedResourceError,
  checkpoint,
  Event,
  fromWritableStream,
  MissingScopeError,
  moveOnAfter,
  openNursery,
  run,
  ScopeEndedError,
  type StreamSendChannel,
  select,
  sleep,
  sleepForever,
  TimeoutError,
  timeout,
  UsageError,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** Keeps what is written, each chunk as soon as `take` lets it. */
function slow<T>(highWaterMark = 1, sink: UnderlyingSinkOf<T> = {}) {
  const waiting: (() => void)[] = [];
  const seen = { written: [] as T[], closed: false, aborted: [] as unknown[] };
  const stream = new WritableStream<T>(
    {
      async write(chunk) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        seen.written.push(chunk);
      },
      close: () => {
        seen.closed = true;
      },
      abort: (reason) => {
        seen.aborted.push(reason);
        for (const go of waiting.splice(0)) go();
      },
      ...sink,
    },
    { highWaterMark },
  );
  return Object.assign(seen, { stream, take: () => waiting.shift()?.() });
}

interface UnderlyingSinkOf<T> {
  write?(chunk: T, controller: WritableStreamDefaultController & { readonly signal?: AbortSignal }): void | PromiseLike<void>;
  close?(): void | PromiseLike<void>;
  abort?(reason: unknown): void | PromiseLike<void>;
}

/** Keeps what is written at once. */
function fast<T>(sink: UnderlyingSinkOf<T> = {}) {
  const written: T[] = [];
  const made = slow<T>(1, { write: (chunk) => void written.push(chunk), ...sink });
  return Object.assign(made, { written });
}

const CLOSED = "this channel into a stream cannot send any more: it was closed by its own side";
const FORGOTTEN =
  "what fromWritableStream() made was left without `await close()`, so the stream was aborted, and is not complete. Close it when all has been sent, or say abort()";

describe("sending into a writable stream", () => {
  test("writes the values in their order, and close() ends the stream; the lock is released", async () => {
    await simulate(async () => {
      const sink = fast<unknown>();
      const out = fromWritableStream(sink.stream);
      expect(sink.stream.locked).toBe(true);
      const values = [1, "two", undefined, null, { three: 3 }];
      for (const value of values) await out.send(value);
      await out.close();
      expect([sink.written, sink.closed, sink.stream.locked, out.isClosed]).toEqual([values, true, false, true]);
    });
  });

  test("waits until the stream wants more, before it writes", async () => {
    await simulate(async (nursery) => {
      const sink = slow<number>(2);
      const out = fromWritableStream(sink.stream);
      let sent = 0;
      nursery.startSoon(async () => {
        for (; sent < 6; sent++) await out.send(sent);
        await out.close();
      });
      await sleep(1);
      expect([sent, sink.written]).toEqual([2, []]);
      for (let n = 1; n <= 4; n++) {
        sink.take();
        await sleep(1);
        expect([sent, sink.written.length]).toEqual([2 + n, n]);
      }
      sink.take();
      sink.take();
      await sleep(1);
      sink.take();
      await sleep(1);
      expect([sink.written, sink.closed]).toEqual([[0, 1, 2, 3, 4, 5], true]);
    });
  });

  test("R6: a send that was cancelled has not written", async () => {
    await simulate(async () => {
      const sink = slow<string>();
      const out = fromWritableStream(sink.stream);
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
    for (const hasRoom of [true, false]) {
      await simulate(async () => {
        const scope = new CancelScope();
        const written: string[] = [];
        const stream = new WritableStream<string>({
          async write(chunk) {
            written.push(chunk);
            if (chunk === "stop") scope.cancel();
            else await sleep(1);
          },
        });
        const out = fromWritableStream(stream);
        if (!hasRoom) await out.send("first");
        const sent = await scope.run(async () => {
          await out.send("stop");
          return "sent";
        });
        expect([sent, written.at(-1)]).toEqual(["sent", "stop"]);
        await out.close();
      });
    }
  });

  test("R11: senders are served in order of arrival", async () => {
    const order: string[] = [];
    await simulate(async (nursery) => {
      const stream = new WritableStream<string>({
        async write(chunk) {
          order.push(chunk);
          await sleep(1, nursery);
        },
      });
      const out = fromWritableStream(stream);
      const senders = ["a", "b", "c", "d"].map((name) => nursery.startSoon(() => out.send(name)));
      for (const sender of senders) await sender.join();
      await out.close();
    });
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  test("R4, R5: in a cancelled scope it is refused, and has written nothing; it is a checkpoint where there is room", async () => {
    await simulate(async (nursery) => {
      const sink = fast<number>();
      const out = fromWritableStream(sink.stream);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await rejectionOf(out.send(1));
      });
      let ran = false;
      nursery.startSoon(() => {
        ran = true;
      });
      await out.send(2);
      expect([ran, sink.written]).toEqual([true, [2]]);
      await out.close();
    });
  });

  test("select takes sending(value) as a case; what was not chosen has not been written", async () => {
    await simulate(async (nursery) => {
      const sink = slow<string>();
      const out = fromWritableStream(sink.stream);
      const event = new Event();
      event.set();
      expect((await select({ event, out: out.sending("not this") })).key).toBe("event");
      expect((await select({ out: out.sending("one"), event })).key).toBe("out");
      expect((await select({ out: out.sending("nor this"), late: timeout(5) })).key).toBe("late");
      nursery.startSoon(async () => {
        await sleep(1);
        sink.take();
      });
      expect((await select({ out: out.sending("two"), late: timeout(5) })).key).toBe("out");
      sink.take();
      await out.close();
      expect(sink.written).toEqual(["one", "two"]);
      expect(await rejectionOf(select({ out: out.sending("three") }))).toEqual(new ClosedResourceError(CLOSED));
    });
  });
});

describe("closing the channel", () => {
  test("waits until the stream has dealt with all; those who wait to send get ClosedResourceError, and so do later ones", async () => {
    await simulate(async (nursery) => {
      const sink = slow<number>();
      const out = fromWritableStream(sink.stream);
      await out.send(1);
      const waiting = nursery.startSoon(() => rejectionOf(out.send(2)));
      await sleep(1);
      let isClosed = false;
      const closing = nursery.startSoon(async () => {
        await out.close();
        isClosed = true;
      });
      const again = nursery.startSoon(() => out.close());
      expect(await waiting.join()).toEqual(new ClosedResourceError(CLOSED));
      expect(await rejectionOf(out.send(3))).toEqual(new ClosedResourceError(CLOSED));
      await sleep(1);
      expect([isClosed, out.isClosed]).toEqual([false, true]);
      sink.take();
      await closing.join();
      await again.join();
      await out.close();
      out.abort();
      expect([sink.written, sink.closed, sink.aborted]).toEqual([[1], true, []]);
    });
  });

  test("with preventClose waits as long, and leaves the stream open for others", async () => {
    await simulate(async () => {
      const sink = slow<number>();
      for (const n of [1, 2]) {
        const out = fromWritableStream(sink.stream, { preventClose: true });
        await out.send(n);
        expect(await moveOnAfter(1, () => out.close().then(() => "closed"))).toBe(undefined);
        sink.take();
        await out.close();
        expect(sink.stream.locked).toBe(false);
      }
      const unused = fromWritableStream(sink.stream, { preventClose: true });
      await unused.close();
      expect([sink.written, sink.closed]).toEqual([[1, 2], false]);
    });
  });

  test("cancelled: the stream goes on to end, and close() may be called again", async () => {
    await simulate(async () => {
      const sink = slow<number>();
      const out = fromWritableStream(sink.stream);
      await out.send(1);
      expect(await moveOnAfter(1, () => out.close().then(() => "closed"))).toBe(undefined);
      sink.take();
      await out.close();
      expect([sink.written, sink.closed]).toEqual([[1], true]);
    });
  });
});

describe("an error of the stream", () => {
  test("is thrown by those who wait, and by all that follows: that very object", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      const sink = slow<number>(1, { write: () => sleep(3).then(() => Promise.reject(boom)) });
      const out = fromWritableStream(sink.stream);
      await out.send(1);
      const waiting = [1, 2].map(() => nursery.startSoon(() => rejectionOf(out.send(2))));
      for (const each of waiting) expect(await each.join()).toBe(boom);
      expect(await rejectionOf(out.send(3))).toBe(boom);
      expect(await rejectionOf(out.close())).toBe(boom);
      await sleep(1);
      expect([sink.stream.locked, nursery._firstChild?.name]).toEqual([false, undefined]);
    });
  });

  test("is thrown by close(), if it comes while that waits", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      for (const sink of [{ close: () => Promise.reject(boom) }, { write: () => Promise.reject(boom) }]) {
        const out = fromWritableStream(fast<number>(sink).stream);
        await out.send(1);
        expect(await rejectionOf(out.close())).toBe(boom);
        expect(await rejectionOf(out.close())).toBe(boom);
      }
      await sleep(1);
      expect(nursery.cancelCalled).toBe(false);
    });
  });

  test("comes out of a send that waits already while a write still goes on", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      let controller: WritableStreamDefaultController | undefined;
      const stream = new WritableStream<number>({
        start: (own) => {
          controller = own;
        },
        write: () => new Promise(() => {}),
      });
      const out = fromWritableStream(stream, { preventAbort: true });
      await out.send(1);
      const sending = rejectionOf(out.send(2));
      await sleep(1);
      controller?.error(boom);
      expect(await sending).toBe(boom);
    });
  });

  test("R3: that nobody was told of fails the nursery when the scope is left, also if it is cancelled, and when it is aborted", async () => {
    const boom = new Error("boom");
    for (const leave of [() => {}, () => {}, (scope: CancelScope) => scope.cancel()]) {
      const running = simulate(async () => {
        const scope = new CancelScope();
        await scope.run(async () => {
          const out = fromWritableStream(fast<number>({ write: () => Promise.reject(boom) }).stream);
          await out.send(1);
          await sleep(1);
          leave(scope);
        });
      });
      expect(await rejectionOf(running)).toBe(boom);
    }
    const running = simulate(async () => {
      using out = fromWritableStream(fast<number>({ write: () => Promise.reject(boom) }).stream);
      await out.send(1);
      await sleep(1);
    });
    expect(await rejectionOf(running)).toBe(boom);
  });

  test("is told once", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      const out = fromWritableStream(fast<number>({ write: () => Promise.reject(boom) }).stream);
      await out.send(1);
      await sleep(1);
      expect(await rejectionOf(out.send(2))).toBe(boom);
      out.abort();
      await sleep(1);
      expect([nursery.cancelCalled, nursery._firstChild]).toEqual([false, undefined]);
    });
  });
});

describe("aborting the channel", () => {
  test("aborts the stream with the reason; what waits and what follows gets ClosedResourceError", async () => {
    await simulate(async (nursery) => {
      const sink = slow<number>();
      const out = fromWritableStream(sink.stream);
      await out.send(1);
      const waiting = nursery.startSoon(() => rejectionOf(out.send(2)));
      await sleep(1);
      out.abort("enough");
      out.abort("again");
      const error = new ClosedResourceError("this channel into a stream cannot send any more: it was aborted by its own side", {
        cause: "enough",
      });
      expect(await waiting.join()).toEqual(error);
      expect(await rejectionOf(out.send(3))).toEqual(error);
      expect(await rejectionOf(out.close())).toEqual(error);
      sink.take();
      await sleep(1);
      expect([sink.aborted, sink.closed, sink.stream.locked]).toEqual([["enough"], false, false]);
    });
  });

  test("is what the end of a `using` block does, unless it was closed", async () => {
    await simulate(async () => {
      const [aborted, closed] = [fast<number>(), fast<number>()];
      {
        using out = fromWritableStream(aborted.stream);
        await out.send(1);
      }
      {
        using out = fromWritableStream(closed.stream);
        await out.send(1);
        await out.close();
      }
      await sleep(1);
      expect([aborted.aborted, aborted.closed]).toEqual([[undefined], false]);
      expect([closed.aborted, closed.closed]).toEqual([[], true]);
    });
  });

  test("while it is being closed: close() throws ClosedResourceError", async () => {
    await simulate(async (nursery) => {
      const sink = slow<number>();
      const out = fromWritableStream(sink.stream);
      await out.send(1);
      const closing = nursery.startSoon(() => rejectionOf(out.close()));
      await sleep(1);
      out.abort();
      expect(await closing.join()).toBeInstanceOf(ClosedResourceError);
      sink.take();
      await sleep(1);
      expect(sink.closed).toBe(false);
    });
  });

  test("with preventAbort releases the lock only", async () => {
    await simulate(async () => {
      const sink = fast<number>();
      const out = fromWritableStream(sink.stream, { preventAbort: true });
      await out.send(1);
      out.abort();
      await sleep(1);
      const writer = sink.stream.getWriter();
      await writer.write(2);
      await writer.close();
      expect([sink.written, sink.aborted]).toEqual([[1, 2], []]);
    });
  });

  test("what the stream's abort throws then fails the nursery", async () => {
    const boom = new Error("boom");
    const running = simulate(async () => {
      fromWritableStream(fast<number>({ abort: () => Promise.reject(boom) }).stream).abort();
      await sleepForever();
    });
    expect(await rejectionOf(running)).toBe(boom);
  });
});

describe("the scope of the channel", () => {
  test("cancelled: the stream is aborted with that very Cancelled, and the scope is not left before that is done", async () => {
    const log: unknown[] = [];
    await simulate(async () => {
      const scope = new CancelScope();
      const abort = async (reason: unknown) => {
        log.push(reason);
        await sleep(5);
        log.push("aborted");
      };
      await scope.run(async () => {
        const out = fromWritableStream(fast<number>({ abort }).stream);
        await out.send(1);
        scope.cancel();
        await out.send(2);
      });
      expect(log).toEqual([scope.signal.reason, "aborted"]);
    });
  });

  test("left without close(): a UsageError that fails the nursery, and the stream is aborted", async () => {
    for (const use of [
      async () => {},
      (out: StreamSendChannel<number>) => out.send(1),
      async (out: StreamSendChannel<number>) => void out.close(),
    ]) {
      for (const open of [
        (body: () => Promise<unknown>) => body(),
        (body: () => Promise<unknown>) => moveOnAfter(1_000, body),
        (body: () => Promise<unknown>) => openNursery((nursery) => void nursery.startSoon(body)),
      ]) {
        const sink = slow<number>(1, { write: () => {}, close: () => new Promise((resolve) => setImmediate(resolve)) });
        const running = simulate(() =>
          open(async () => {
            const out = fromWritableStream(sink.stream);
            await use(out);
          }),
        );
        expect(await rejectionOf(running)).toEqual(new UsageError(FORGOTTEN));
        expect([sink.closed]).toEqual([false]);
      }
    }
  });

  test("left: who sends or closes in the background of the same nursery is cancelled, and does not fail", async () => {
    for (const use of [(out: StreamSendChannel<number>) => out.send(2), (out: StreamSendChannel<number>) => out.close()]) {
      const sink = slow<number>();
      const running = simulate(async () => {
        await openNursery(async (nursery) => {
          const out = fromWritableStream(sink.stream);
          await out.send(1);
          nursery.startSoon(() => use(out), { background: true });
          await sleep(1);
          sink.take();
        });
      });
      expect(await rejectionOf(running)).toEqual(new UsageError(FORGOTTEN));
    }
  });

  test("left by a failure, or by a cancellation: that is all that is told", async () => {
    const boom = new Error("boom");
    for (const open of [
      (body: () => Promise<unknown>) => body(),
      (body: () => Promise<unknown>) => moveOnAfter(1_000, body),
      (body: () => Promise<unknown>) => openNursery((nursery) => void nursery.startSoon(body)),
      (body: () => Promise<unknown>) => new CancelScope({ shield: true }).run(body),
    ]) {
      const sink = fast<number>();
      const failing = simulate(() =>
        open(async () => {
          await fromWritableStream(sink.stream).send(1);
          throw boom;
        }),
      );
      expect(await rejectionOf(failing)).toBe(boom);
      expect(sink.aborted).toHaveLength(1);
    }
    await simulate(async (nursery) => {
      const sink = fast<number>();
      const task = nursery.startSoon(async (own) => {
        await fromWritableStream(sink.stream).send(1);
        own.cancel();
        await checkpoint();
      });
      await rejectionOf(task.join());
      expect(sink.aborted).toEqual([task.signal.reason]);
    });
  });

  test("with preventAbort the stream stays as it is, and somebody else may use it: it is no mistake to leave it", async () => {
    await simulate(async () => {
      const sink = fast<number>();
      await openNursery((nursery) => fromWritableStream(sink.stream, { signal: nursery.signal, preventAbort: true }).send(0));
      await moveOnAfter(1, async () => {
        await fromWritableStream(sink.stream, { preventAbort: true }).send(1);
        await sleepForever();
      });
      expect([sink.stream.locked, sink.aborted]).toEqual([false, []]);
    });
  });

  test("a simulation gives the stream time, where all that it knows waits: for room, to close, and to let go; and else none", async () => {
    const turns = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
    await simulate(async () => {
      const out = fromWritableStream(new WritableStream({ write: turns, close: turns }));
      for (let i = 0; i < 3; i++) await out.send(i);
      await out.close();
      fromWritableStream(new WritableStream({ abort: turns })).abort();
    });
    const stuck = simulate(
      async () => {
        const out = fromWritableStream(new WritableStream<number>({ write: (n) => (n === 1 ? turns() : undefined) }));
        await out.send(1);
        await out.send(2);
        await sleepForever();
      },
      { settleMs: 100_000 },
    );
    expect(await rejectionOf(stuck)).toMatchObject({ name: "DeadlockError" });
  });

  test("an abort that hangs holds the scope up no longer than its cleanupTimeout", async () => {
    const running = simulate(() =>
      openNursery(
        async (nursery) => {
          fromWritableStream(fast<number>({ abort: () => new Promise(() => {}) }).stream, nursery);
          nursery.cancel();
        },
        { name: "short", cleanupTimeout: 50 },
      ),
    );
    expect(await rejectionOf(running)).toBeInstanceOf(TimeoutError);
  });

  test("is not left behind when the stream is over: nothing is kept in it, nothing waits", async () => {
    await simulate(async (nursery) => {
      await fromWritableStream(fast().stream).close();
      fromWritableStream(fast().stream).abort();
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

describe("misuse", () => {
  test("R13: what is no WritableStream, and what is locked, is refused; nothing is left of it", async () => {
    await run(async (nursery) => {
      for (const [given, name] of [
        [undefined, "undefined"],
        [{ write: () => {} }, "an object"],
        [new ReadableStream(), "a ReadableStream"],
      ] as const) {
        expect(thrownBy(() => fromWritableStream(given as never))).toEqual(
          new TypeError(
            `fromWritableStream() takes a WritableStream, not ${name}. For the streams of Node there is fromWritable() of creche/node`,
          ),
        );
      }
      const { stream } = fast();
      stream.getWriter();
      expect(thrownBy(() => fromWritableStream(stream))).toBeInstanceOf(TypeError);
      await sleep(1);
      expect(nursery._firstChild).toBe(undefined);
    });
  });

  test("R13: without a scope, in an ended one, and where there is no nursery around it: the stream is not touched", async () => {
    const { stream } = fast();
    expect(thrownBy(() => fromWritableStream(stream))).toBeInstanceOf(MissingScopeError);
    const { signal } = new AbortController();
    expect(thrownBy(() => fromWritableStream(stream, { signal }))).toBeInstanceOf(UsageError);
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => fromWritableStream(stream, scope))).toBeInstanceOf(ScopeEndedError);
    });
    expect(stream.locked).toBe(false);
  });
});

test("R12, R17: nothing is unhandled, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        for (const use of [
          (out: StreamSendChannel<number>) => void out,
          (out: StreamSendChannel<number>) => void out.send(1),
          (out: StreamSendChannel<number>) => void out.close(),
          (out: StreamSendChannel<number>) => void out.abort(),
        ]) {
          // One whose write would never end, and that hears of the abort, as it should: the abort waits for it.
          const write = (_: number, { signal }: { readonly signal?: AbortSignal }) =>
            new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
          use(fromWritableStream(slow<number>(1, { write }).stream));
          use(fromWritableStream(fast<number>().stream));
        }
        await sleep(1);
        scope.cancel();
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
          let mostQueued = 0;
          const stream = new WritableStream<number>(
            {
              async write(call) {
                const pause = pauses[written.length] ?? 0;
                written.push(call);
                if (pause > 0) await sleep(pause, root);
              },
            },
            { highWaterMark, size: () => 1 },
          );
          const out = fromWritableStream(stream, root);
          let asked = 0;
          const sent = new Set<number>();
          await openNursery((nursery) => {
            for (const { arrives, sends, cancelledAt } of program) {
              const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
              nursery.startSoon(() =>
                scope.run(async () => {
                  await sleep(arrives);
                  for (let i = 0; i < sends; i++) {
                    const call = asked++;
                    await out.send(call);
                    sent.add(call);
                    mostQueued = Math.max(mostQueued, sent.size - written.length);
                  }
                }),
              );
            }
          });
          await out.close();
          expect(written).toEqual([...sent].sort((a, b) => a - b));
          expect(mostQueued).toBeLessThanOrEqual(highWaterMark);
        },
        { pick: pickOf(schedule) },
      );
    }),
    { numRuns: 300 },
  );
});
