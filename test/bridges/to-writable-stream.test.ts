import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  ErrorGroup,
  failAfter,
  type MemoryReceiveChannel,
  MissingScopeError,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
  toWritableStream,
  UsageError,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";

async function all<T>(receive: MemoryReceiveChannel<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of receive) items.push(item);
  return items;
}

const BROKEN_OFF = "a stream into a channel was broken off before its end";

describe("a writable stream of a send end", () => {
  test("sends what is written, and closing it is the end of the channel", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<unknown>(0);
      const items = [1, "two", undefined, null, { three: 3 }];
      const receiving = nursery.startSoon(() => all(receive));
      const writer = toWritableStream(send).getWriter();
      for (const item of items) await writer.write(item);
      await writer.close();
      expect(await receiving.join()).toEqual(items);
      expect(send.isClosed).toBe(true);
    });
  });

  test("a write is done when its chunk has been sent, and the stream wants no second one before", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      const writer = toWritableStream(send).getWriter();
      const done: number[] = [];
      const write = (n: number) => void writer.write(n).then(() => done.push(n));
      expect(writer.desiredSize).toBe(1);
      write(0);
      await sleep(1);
      expect([done, writer.desiredSize]).toEqual([[0], 1]);
      write(1);
      await sleep(1);
      expect([done, writer.desiredSize, send.statistics().tasksWaitingSend]).toEqual([[0], 0, 1]);
      expect(await receive.receive()).toBe(0);
      await sleep(1);
      expect([done, writer.desiredSize]).toEqual([[0, 1], 1]);
    });
  });

  test("a pipe into it reads as much as is received, and one chunk for each queue on the way", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(2);
      let pulled = 0;
      const source = new ReadableStream<number>({ pull: (controller) => controller.enqueue(pulled++) }, { highWaterMark: 0 });
      const piping = rejectionOf(source.pipeTo(toWritableStream(send)));
      await sleep(1);
      // Two in the channel, one that waits to be sent.
      expect(pulled).toBe(3);
      expect(await receive.receive()).toBe(0);
      await sleep(1);
      expect(pulled).toBe(4);
      receive.close();
      expect(await piping).toBeInstanceOf(BrokenResourceError);
      nursery.cancel();
    });
  });

  test("several streams may follow one another into a channel, with preventClose", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<string>(0);
      const receiving = nursery.startSoon(() => all(receive));
      for (const [word, preventClose] of [
        ["one", true],
        ["two", false],
      ] as const) {
        const writer = toWritableStream(send, { preventClose }).getWriter();
        await writer.write(word);
        await writer.close();
        expect(send.isClosed).toBe(!preventClose);
      }
      expect(await receiving.join()).toEqual(["one", "two"]);
    });
  });

  test("if all receive ends are closed, a write fails with BrokenResourceError, so does the stream, and the send end is closed", async () => {
    await simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const writer = toWritableStream(send).getWriter();
      const writing = rejectionOf(writer.write(1));
      await sleep(1);
      receive.close();
      const error = await writing;
      expect(error).toBeInstanceOf(BrokenResourceError);
      expect(await rejectionOf(writer.closed)).toBe(error);
      expect(send.isClosed).toBe(true);
      await sleep(1);
      // That is nobody's failure but the writer's.
      expect(nursery.cancelCalled).toBe(false);
    });
  });

  test("a send end that is closed by its own side is an error of the stream", async () => {
    await simulate(async () => {
      const [send] = openMemoryChannel<number>(0);
      const writer = toWritableStream(send).getWriter();
      send.close();
      expect(await rejectionOf(writer.write(1))).toBeInstanceOf(ClosedResourceError);
    });
  });
});

describe("aborting the stream", () => {
  test("fails the nursery with the reason: who receives in it is cancelled and sees no end of the channel", async () => {
    const cause = new Error("cut off");
    const seen: unknown[] = [];
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      for (const inner of [false, true]) {
        nursery.startSoon(async () => {
          const receiving = () => receive.receive().catch((error) => Promise.reject(seen.push(error) && error));
          await receiving();
          await (inner ? moveOnAfter(1_000, receiving) : receiving());
        });
      }
      const writer = toWritableStream(send).getWriter();
      await writer.write(1);
      await writer.write(2);
      await sleep(1);
      await writer.abort(cause);
      expect(send.isClosed).toBe(true);
      await checkpoint();
    });
    expect(await rejectionOf(running)).toBe(cause);
    expect(seen).toEqual([expect.any(Cancelled), expect.any(Cancelled)]);
    expect(seen[0]).toMatchObject({ kind: "failure", cause });
  });

  test("by a pipe whose source fails: the error comes once, though the pipe throws it as well", async () => {
    const cause = new Error("no more");
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const source = new ReadableStream<number>({ start: (controller) => controller.error(cause) });
      nursery.startSoon(() => source.pipeTo(toWritableStream(send)));
      await all(receive);
    });
    expect(await rejectionOf(running)).toBe(cause);
  });

  test("the nursery is the one around the scope of the stream", async () => {
    await simulate(async (nursery) => {
      const cause = new Error("cut off");
      const [send] = openMemoryChannel<number>(0);
      const failing = openNursery((inner) =>
        failAfter(1_000, async () => {
          await toWritableStream(send).abort(cause);
          expect(inner.cancelCalled).toBe(true);
        }),
      );
      expect(await rejectionOf(failing)).toBe(cause);
      expect(nursery.cancelCalled).toBe(false);
    });
  });

  test("does not wait for a write under way, and its chunk is not sent", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const failing = openNursery(async () => {
        const writer = toWritableStream(send, { preventClose: true }).getWriter();
        const writing = rejectionOf(writer.write(1));
        await sleep(1);
        expect(send.statistics().tasksWaitingSend).toBe(1);
        const cause = new Error("cut off");
        await writer.abort(cause);
        expect(send.statistics().tasksWaitingSend).toBe(0);
        await writing;
      });
      expect(await rejectionOf(failing)).toMatchObject({ message: "cut off" });
      expect(receive.statistics().openSendChannels).toBe(1);
    });
  });

  test("while a write waits: also who begins to receive right then sees no end of the channel", async () => {
    const cause = new Error("cut off");
    let seen: unknown;
    const running = simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const writer = toWritableStream(send).getWriter();
      writer.write(1).catch(() => {});
      await sleep(1);
      void writer.abort(cause).catch(() => {});
      seen = await rejectionOf(receive.receive());
    });
    expect(await rejectionOf(running)).toBe(cause);
    expect(seen).toMatchObject({ kind: "failure", cause });
  });

  test("without a reason, the error says what has happened", async () => {
    const running = simulate(() => toWritableStream(openMemoryChannel<number>(0).send).abort());
    expect(await rejectionOf(running)).toEqual(new BrokenResourceError(`${BROKEN_OFF}, so what came out of the channel is not all`));
  });

  test("because something else was cancelled, the error says that: what was cut off is no less so", async () => {
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      const source = new ReadableStream<number>({ pull: (controller) => controller.enqueue(1) });
      nursery.startSoon(() =>
        moveOnAfter(5, async (scope) => {
          await source.pipeTo(toWritableStream(send, nursery), { signal: scope.signal });
        }),
      );
      await receive.receive();
      await sleep(10);
      await all(receive);
    });
    const error = await rejectionOf(running);
    expect(error).toEqual(
      new BrokenResourceError(
        `${BROKEN_OFF} (AbortError: cancelled: the deadline of root > task#1 > scope passed), so what came out of the channel is not all`,
      ),
    );
    expect((error as Error).cause).toBeInstanceOf(Cancelled);
  });

  test("with any value, which is the failure as it is", async () => {
    for (const value of [0, "", false, Number.NaN, new DOMException("of another controller", "AbortError"), Object.create(null)]) {
      const running = simulate(() => toWritableStream(openMemoryChannel<number>(0).send).abort(value));
      expect(await rejectionOf(running)).toBe(value);
    }
  });

  test("in a scope that is cancelled already, by that cancellation: no failure", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const scope = new CancelScope();
      await scope.run(async () => {
        const source = new ReadableStream<number>({ pull: (controller) => controller.enqueue(1) });
        // The abort listener of the pipe comes before ours, or after it.
        const piping = source.pipeTo(toWritableStream(send), { signal: scope.signal });
        await receive.receive();
        scope.cancel();
        await piping;
      });
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test("in a scope that is cancelled already, by something else: a failure", async () => {
    const cause = new Error("genuine");
    const running = simulate(async () => {
      const [send] = openMemoryChannel<number>(0);
      const scope = new CancelScope();
      await scope.run(async () => {
        const stream = toWritableStream(send);
        scope.signal.addEventListener("abort", () => void stream.abort(cause).catch(() => {}));
        scope.cancel();
      });
    });
    expect(await rejectionOf(running)).toBe(cause);
  });

  test("in a shield in a nursery that is cancelled: the failure is kept, and the end is closed", async () => {
    const cause = new Error("cut off");
    const running = simulate(async (nursery) => {
      nursery.cancel();
      await shield(async () => {
        const [send] = openMemoryChannel<number>(0);
        await toWritableStream(send).abort(cause);
        expect(send.isClosed).toBe(true);
        await checkpoint();
      });
    });
    expect(await rejectionOf(running)).toBe(cause);
  });

  test("because its pipe ran in the background of a nursery that is left: no failure", async () => {
    for (const isWriting of [false, true]) {
      await simulate(async () => {
        await openNursery(async (nursery) => {
          const [send] = openMemoryChannel<number>(0);
          const source = new ReadableStream<number>({ start: (controller) => (isWriting ? controller.enqueue(1) : undefined) });
          let begin = (_: WritableStream<number>) => {};
          const begun = new Promise<WritableStream<number>>((resolve) => {
            begin = resolve;
          });
          nursery.startSoon(async ({ signal }) => source.pipeTo(await begun, { signal }), { background: true });
          // It is cancelled after the one above.
          nursery.startSoon(() => moveOnAfter(1_000, () => sleepForever(begin(toWritableStream(send)) as undefined)), { background: true });
          await sleep(1);
        });
      });
    }
  });

  test("R3: joins the other failures", async () => {
    const [one, two] = [new Error("one"), new Error("two")];
    const running = simulate(async (nursery) => {
      nursery.startSoon(async () => {
        await sleepForever().catch(() => {});
        throw two;
      });
      await sleep(1);
      await toWritableStream(openMemoryChannel<number>(0).send).abort(one);
    });
    const error = await rejectionOf(running);
    expect(error).toBeInstanceOf(ErrorGroup);
    expect((error as ErrorGroup).errors).toEqual([one, two]);
  });

  test("after it was closed has no effect", async () => {
    await simulate(async () => {
      const [send, receive] = openMemoryChannel<number>(0);
      const stream = toWritableStream(send);
      await stream.close();
      await stream.abort(new Error("too late"));
      expect(await rejectionOf(receive.receive())).toBeInstanceOf(EndOfChannel);
    });
  });
});

describe("the scope of the stream", () => {
  test("cancelled: the stream errors with that very Cancelled, whether a write waits or not, and the end is closed", async () => {
    for (const isWriting of [false, true]) {
      await simulate(async (nursery) => {
        const [send, receive] = openMemoryChannel<number>(0);
        const scope = new CancelScope();
        let writer: WritableStreamDefaultWriter<number> | undefined;
        let writing: Promise<unknown> | undefined;
        await scope.run(async () => {
          writer = toWritableStream(send).getWriter();
          if (isWriting) writing = rejectionOf(writer.write(1));
          await sleep(1);
          scope.cancel("enough");
          expect(send.statistics().tasksWaitingSend).toBe(0);
          await checkpoint();
        });
        expect(send.isClosed).toBe(true);
        const error = scope.signal.reason;
        if (isWriting) expect(await writing).toBe(error);
        expect(await rejectionOf(writer?.write(2) as Promise<unknown>)).toBe(error);
        expect(await rejectionOf(receive.receive())).toBeInstanceOf(EndOfChannel);
        expect(nursery.cancelCalled).toBe(false);
      });
    }
  });

  test("left before the stream was closed: it errors with a Cancelled that says so; with preventClose the end stays open", async () => {
    await simulate(async () => {
      for (const preventClose of [false, true]) {
        const [send] = openMemoryChannel<number>(1);
        const stream = await openNursery((own) => toWritableStream(send, { signal: own.signal, preventClose }), { name: "short" });
        expect(await rejectionOf(stream.getWriter().write(1))).toMatchObject({
          kind: "shutdown",
          scope: "root > short > toWritableStream",
        });
        expect(send.isClosed).toBe(!preventClose);
      }
    });
  });

  test("left: who receives in the background of the same nursery is cancelled, and sees no end of the channel", async () => {
    const seen: unknown[] = [];
    await simulate(async () => {
      await openNursery(async (nursery) => {
        const [send, receive] = openMemoryChannel<number>(0);
        toWritableStream(send);
        nursery.startSoon(() => receive.receive().catch((error) => Promise.reject(seen.push(error) && error)), { background: true });
        await sleep(1);
      });
    });
    expect(seen).toEqual([expect.any(Cancelled)]);
  });

  test("receivers in the same nursery are cancelled before the end is closed, if that is what is passed", async () => {
    const seen: unknown[] = [];
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      nursery.startSoon(() =>
        all(receive).then(
          () => seen.push("complete"),
          (error) => seen.push(error) && Promise.reject(error),
        ),
      );
      await failAfter(5, (scope) => new ReadableStream<number>().pipeTo(toWritableStream(send, nursery), scope));
    });
    expect(await rejectionOf(running)).toBeInstanceOf(BrokenResourceError);
    expect(seen).toEqual([expect.any(Cancelled)]);
  });

  test("the pitfall: in a scope of its own, the end is closed before the error has gone further", async () => {
    const seen: unknown[] = [];
    const running = simulate(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(0);
      nursery.startSoon(() =>
        all(receive).then(
          () => seen.push("complete"),
          (error) => seen.push(error) && Promise.reject(error),
        ),
      );
      await failAfter(5, (scope) => new ReadableStream<number>().pipeTo(toWritableStream(send), scope));
    });
    expect(await rejectionOf(running)).toBeInstanceOf(TimeoutError);
    expect(seen).toEqual(["complete"]);
  });

  test("is not left behind when the stream is over: nothing is kept in it", async () => {
    await simulate(async (nursery) => {
      for (let i = 0; i < 3; i++) {
        const [send, receive] = openMemoryChannel<number>(1);
        const writer = toWritableStream(send, nursery).getWriter();
        await writer.write(1);
        if (i < 2) await writer.close();
        else receive.close();
        if (i === 2) await rejectionOf(writer.write(1));
      }
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

describe("misuse", () => {
  test("R13: what is no send end is refused", async () => {
    await run(() => {
      const [, receive] = openMemoryChannel<number>(0);
      const wrong: [unknown, string][] = [
        [receive, "a MemoryReceiveChannel"],
        [{ send() {} }, "an object"],
        [{ close() {} }, "an object"],
        [undefined, "undefined"],
        [new WritableStream(), "a WritableStream"],
      ];
      for (const [given, name] of wrong) {
        expect(thrownBy(() => toWritableStream(given as never))).toEqual(
          new TypeError(`toWritableStream() takes the send end of a channel, not ${name}`),
        );
      }
    });
  });

  test("R13: without a scope, in an ended one, and where there is no nursery to fail", async () => {
    const [send] = openMemoryChannel<number>(0);
    expect(thrownBy(() => toWritableStream(send))).toBeInstanceOf(MissingScopeError);
    const { signal } = new AbortController();
    expect(thrownBy(() => toWritableStream(send, { signal }))).toBeInstanceOf(UsageError);
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => toWritableStream(send, scope))).toBeInstanceOf(ScopeEndedError);
    });
    expect(send.isClosed).toBe(false);
  });
});

test("R12, R17: nothing is unhandled, whatever happens to it", async () => {
  const { unhandled, uncaught } = await watchProcess(async () => {
    await run(async (nursery) => {
      const scope = new CancelScope();
      await scope.run(async () => {
        for (const use of [
          (stream: WritableStream<number>) => void stream,
          (stream: WritableStream<number>) => void stream.getWriter(),
          (stream: WritableStream<number>) => void stream.close(),
        ]) {
          for (const where of [undefined, nursery]) use(toWritableStream(openMemoryChannel<number>(0).send, where));
        }
        await sleep(1);
        scope.cancel();
      });
    });
  });
  expect([unhandled, uncaught]).toEqual([[], []]);
});
