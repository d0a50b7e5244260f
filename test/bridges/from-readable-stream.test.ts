import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ClosedResourceError,
  checkpoint,
  currentTask,
  EndOfChannel,
  Event,
  fromReadableStream,
  MissingScopeError,
  moveOnAfter,
  openNursery,
  run,
  ScopeEndedError,
  type StreamReceiveChannel,
  select,
  sleep,
  sleepForever,
  TimeoutError,
  timeout,
  toReadableStream,
  UsageError,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { collect } from "./stream-support.js";

/** Counts from 0 to `end`, as fast as it is read, and not ahead. */
function counting(end = Number.POSITIVE_INFINITY) {
  const seen = { pulled: 0, cancelled: [] as unknown[] };
  const stream = new ReadableStream<number>(
    {
      pull(controller) {
        if (seen.pulled === end) controller.close();
        else controller.enqueue(seen.pulled++);
      },
      cancel: (reason) => void seen.cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return Object.assign(seen, { stream });
}

/** One that is fed by hand. */
function fed<T>(cancel: (reason: unknown) => void | PromiseLike<void> = () => {}) {
  let controller: ReadableStreamDefaultController<T> | undefined;
  const stream = new ReadableStream<T>(
    {
      start: (own) => {
        controller = own as ReadableStreamDefaultController<T>;
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return { stream, controller: controller as unknown as ReadableStreamDefaultController<T> };
}

async function all<T>(channel: StreamReceiveChannel<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of channel) items.push(item);
  return items;
}

describe("receiving from a readable stream", () => {
  test("gives its chunks in their order, then EndOfChannel, each time; the lock is released", async () => {
    await simulate(async () => {
      const { stream } = counting(2);
      const channel = fromReadableStream(stream);
      expect(stream.locked).toBe(true);
      expect([await channel.receive(), await channel.receive()]).toEqual([0, 1]);
      expect(await rejectionOf(channel.receive())).toEqual(new EndOfChannel("the stream is at its end"));
      expect(await rejectionOf(channel.receive())).toBeInstanceOf(EndOfChannel);
      expect([stream.locked, channel.isClosed]).toEqual([false, false]);
    });
  });

  test("iterates to the end", async () => {
    await simulate(async () => {
      expect(await all(fromReadableStream(counting(4).stream))).toEqual([0, 1, 2, 3]);
      const values = [undefined, null, false, Number.NaN];
      const stream = new ReadableStream<unknown>({
        start(controller) {
          for (const value of values) controller.enqueue(value);
          controller.close();
        },
      });
      expect(await all(fromReadableStream(stream))).toEqual(values);
    });
  });

  test("reads when somebody receives, and nothing ahead", async () => {
    await simulate(async () => {
      const source = counting();
      const channel = fromReadableStream(source.stream);
      await sleep(1);
      expect(source.pulled).toBe(0);
      for (let n = 1; n <= 3; n++) {
        await channel.receive();
        await sleep(1);
        expect(source.pulled).toBe(n);
      }
    });
  });

  test("R6: a chunk that was read for a receive that was cancelled is kept for the next one", async () => {
    await simulate(async () => {
      const { stream, controller } = fed<string>();
      const channel = fromReadableStream(stream);
      expect(await moveOnAfter(1, () => channel.receive())).toBe(undefined);
      controller.enqueue("kept");
      await sleep(1);
      controller.enqueue("next");
      expect(await channel.receive()).toBe("kept");
      expect(await channel.receive()).toBe("next");
    });
  });

  test("R6: cancelled at the very moment: completed before delivers, otherwise it has had no effect", async () => {
    for (const isFirst of [true, false]) {
      await simulate(async () => {
        const { stream, controller } = fed<string>();
        const channel = fromReadableStream(stream);
        const scope = new CancelScope();
        const received = scope.run(() => channel.receive());
        await sleep(1);
        controller.enqueue("chunk");
        if (isFirst) await sleep(1);
        scope.cancel();
        expect(await received).toBe(isFirst ? "chunk" : undefined);
        if (!isFirst) expect(await channel.receive()).toBe("chunk");
      });
    }
  });

  test("R11: receivers are served in order of arrival, also if a chunk is at hand", async () => {
    await simulate(async (nursery) => {
      const { stream, controller } = fed<number>();
      const channel = fromReadableStream(stream);
      const log: string[] = [];
      for (const name of ["a", "b", "c"]) nursery.startSoon(async () => void log.push(name + (await channel.receive())));
      await sleep(1);
      for (let n = 0; n < 4; n++) controller.enqueue(n);
      log.push(`d${await channel.receive()}`);
      expect(log).toEqual(["a0", "b1", "c2", "d3"]);
    });
  });

  test("R4: in a cancelled scope it is refused, and has read nothing", async () => {
    await simulate(async () => {
      const source = counting();
      const channel = fromReadableStream(source.stream);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await rejectionOf(channel.receive());
      });
      await sleep(1);
      expect(source.pulled).toBe(0);
      expect(await channel.receive()).toBe(0);
    });
  });

  test("R5: is a checkpoint, also if a chunk is at hand", async () => {
    await simulate(async (nursery) => {
      const { stream, controller } = fed<number>();
      const channel = fromReadableStream(stream);
      await moveOnAfter(1, () => channel.receive());
      controller.enqueue(1);
      await sleep(1);
      let ran = false;
      nursery.startSoon(() => {
        ran = true;
      });
      expect(await channel.receive()).toBe(1);
      expect(ran).toBe(true);
    });
  });

  test("select takes it as a case; what was not chosen has taken nothing", async () => {
    await simulate(async (nursery) => {
      const { stream, controller } = fed<string>();
      const channel = fromReadableStream(stream);
      const event = new Event();
      expect(await select({ channel, late: timeout(5) })).toEqual({ key: "late", value: undefined });
      controller.enqueue("one");
      await sleep(1);
      event.set();
      expect(await select({ event, channel })).toEqual({ key: "event", value: undefined });
      expect(await select({ channel, event })).toEqual({ key: "channel", value: "one" });
      nursery.startSoon(async () => {
        await sleep(1);
        controller.enqueue("two");
        controller.close();
      });
      expect(await select({ channel, late: timeout(5) })).toEqual({ key: "channel", value: "two" });
      expect(await rejectionOf(select({ channel, event }))).toBeInstanceOf(EndOfChannel);
      expect(await select({ end: channel.orEnd })).toEqual({ key: "end", value: { done: true, value: undefined } });
    });
  });

  test("goes back into a stream: it is a receive end", async () => {
    await simulate(async () => {
      const source = counting(3);
      expect(await collect(toReadableStream(fromReadableStream(source.stream)))).toEqual([0, 1, 2]);
      const other = counting();
      const channel = fromReadableStream(other.stream);
      await toReadableStream(channel).cancel();
      expect([channel.isClosed, other.cancelled]).toEqual([true, [undefined]]);
    });
  });
});

describe("an error of the stream", () => {
  test("is thrown where one receives: that very object, each time, to all who wait", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      const { stream, controller } = fed<number>();
      const channel = fromReadableStream(stream);
      const waiting = [1, 2].map(() => nursery.startSoon(() => rejectionOf(channel.receive())));
      await sleep(1);
      controller.error(boom);
      expect([await waiting[0]?.join(), await waiting[1]?.join()]).toEqual([boom, boom]);
      expect(await rejectionOf(channel.receive())).toBe(boom);
      expect(await rejectionOf(all(channel))).toBe(boom);
      expect(stream.locked).toBe(false);
    });
  });

  test("comes after the chunks before it, also if one was read for a receive that was cancelled", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const { stream, controller } = fed<number>();
      const channel = fromReadableStream(stream);
      await moveOnAfter(1, () => channel.receive());
      controller.enqueue(1);
      controller.error(boom);
      await sleep(1);
      expect(await channel.receive()).toBe(1);
      expect(await rejectionOf(channel.receive())).toBe(boom);
    });
  });

  test("comes after the chunk that is on its way, also where a platform tells of the end first", async () => {
    for (const failure of [undefined, new Error("boom")]) {
      await simulate(async () => {
        let give = (_: { done: false; value: number }) => {};
        const reader = {
          closed: failure === undefined ? Promise.resolve() : Promise.reject(failure),
          read: () => new Promise((resolve) => (give = resolve)),
          releaseLock() {},
        };
        const channel = fromReadableStream({ getReader: () => reader } as unknown as ReadableStream<number>);
        const receiving = channel.receive();
        await sleep(1);
        give({ done: false, value: 1 });
        expect(await receiving).toBe(1);
        if (failure === undefined) expect(await rejectionOf(channel.receive())).toBeInstanceOf(EndOfChannel);
        else expect(await rejectionOf(channel.receive())).toBe(failure);
      });
    }
  });

  test("that nobody receives is nobody's", async () => {
    const { unhandled } = await watchProcess(() =>
      simulate(async (nursery) => {
        const { stream, controller } = fed<number>();
        const channel = fromReadableStream(stream);
        controller.error(new Error("boom"));
        await sleep(1);
        channel.close();
        const sudden = fed<number>();
        const closed = fromReadableStream(sudden.stream);
        sudden.controller.error(new Error("boom"));
        closed.close();
        const other = fed<number>();
        await openNursery(() => {
          fromReadableStream(other.stream);
          other.controller.error(new Error("boom"));
        });
        expect(nursery.cancelCalled).toBe(false);
      }),
    );
    expect(unhandled).toEqual([]);
  });
});

describe("closing the channel", () => {
  test("cancels the stream, and those who wait get ClosedResourceError", async () => {
    await simulate(async (nursery) => {
      const source = fed<number>();
      const cancelled: unknown[] = [];
      const { stream } = fed<number>((reason) => void cancelled.push(reason));
      const channel = fromReadableStream(stream);
      const waiting = nursery.startSoon(() => rejectionOf(channel.receive()));
      await sleep(1);
      channel.close();
      channel.close();
      const error = new ClosedResourceError("this channel from a stream cannot receive any more: it was closed by its own side");
      expect(await waiting.join()).toEqual(error);
      expect(await rejectionOf(channel.receive())).toEqual(error);
      expect([cancelled, channel.isClosed, stream.locked]).toEqual([[undefined], true, false]);
      fromReadableStream(source.stream)[Symbol.dispose]();
      await sleep(1);
      expect(source.stream.locked).toBe(false);
    });
  });

  test("is what the cancellation of a loop does, too", async () => {
    await simulate(async () => {
      for (const preventCancel of [false, true]) {
        const { stream } = fed<number>();
        const channel = fromReadableStream(stream);
        await moveOnAfter(1, async () => {
          for await (const _ of channel.values({ preventCancel }));
        });
        expect(channel.isClosed).toBe(!preventCancel);
      }
    });
  });

  test("is what a break out of a loop does, and a throw; but not with preventCancel for the loop", async () => {
    await simulate(async () => {
      for (const leave of ["break", "throw"]) {
        const source = counting();
        await (async () => {
          for await (const _ of fromReadableStream(source.stream)) {
            if (leave === "break") break;
            throw leave;
          }
        })().catch((error) => expect(error).toBe("throw"));
        expect(source.cancelled).toEqual([undefined]);
      }
      const source = counting();
      const channel = fromReadableStream(source.stream);
      for await (const _ of channel.values({ preventCancel: true })) break;
      for await (const n of channel.values({ preventCancel: true })) {
        expect(n).toBe(1);
        break;
      }
      expect([channel.isClosed, source.cancelled]).toEqual([false, []]);
    });
  });

  test("drops a chunk that is at hand", async () => {
    await simulate(async () => {
      const { stream, controller } = fed<number>();
      const channel = fromReadableStream(stream);
      await moveOnAfter(1, () => channel.receive());
      controller.enqueue(1);
      await sleep(1);
      channel.close();
      expect(await rejectionOf(channel.receive())).toBeInstanceOf(ClosedResourceError);
      expect(await rejectionOf(channel.values().next())).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("with preventCancel releases the lock only: somebody else reads on, from the chunk that was asked for", async () => {
    await simulate(async () => {
      const source = counting(4);
      const channel = fromReadableStream(source.stream, { preventCancel: true });
      expect(await channel.receive()).toBe(0);
      channel.close();
      await sleep(1);
      expect(await collect(source.stream)).toEqual([1, 2, 3]);
      const { stream, controller } = fed<number>();
      const other = fromReadableStream(stream, { preventCancel: true });
      await moveOnAfter(1, () => other.receive());
      other.close();
      await sleep(1);
      controller.enqueue(1);
      controller.close();
      expect(await collect(stream)).toEqual([1]);
    });
  });

  test("what the stream's cancel throws then fails the nursery", async () => {
    const boom = new Error("boom");
    for (const cancel of [() => Promise.reject(boom), () => thrownHere(boom)]) {
      const running = simulate(async () => {
        fromReadableStream(fed<number>(cancel).stream).close();
        await sleepForever();
      });
      expect(await rejectionOf(running)).toBe(boom);
    }
  });
});

function thrownHere(error: unknown): never {
  throw error;
}

describe("the scope of the channel", () => {
  test("left: the stream is cancelled, and it is not left before that is done", async () => {
    const log: unknown[] = [];
    await simulate(async (nursery) => {
      const released = new Event();
      const { stream } = fed<number>(async (reason) => {
        log.push((reason as { kind?: string }).kind);
        await sleep(5, nursery);
        log.push("cancelled");
      });
      const channel = await openNursery((own) => fromReadableStream(stream, own));
      log.push("left");
      channel.close();
      expect(await rejectionOf(channel.receive())).toMatchObject({
        name: "ClosedResourceError",
        message:
          "this channel from a stream cannot receive any more: fromReadableStream() was called in a scope that has been cancelled or left meanwhile",
        cause: { kind: "shutdown" },
      });
      released.set();
    });
    expect(log).toEqual(["shutdown", "cancelled", "left"]);
  });

  test("cancelled: the stream is cancelled with that very Cancelled, and who waits elsewhere gets ClosedResourceError", async () => {
    await simulate(async (nursery) => {
      const cancelled: unknown[] = [];
      const { stream } = fed<number>((reason) => void cancelled.push(reason));
      const scope = new CancelScope();
      await scope.run(async () => {
        const channel = fromReadableStream(stream);
        const outside = nursery.startSoon(() => rejectionOf(channel.receive()));
        await sleep(1);
        scope.cancel();
        expect(await rejectionOf(channel.receive())).toBe(scope.signal.reason);
        nursery.startSoon(async () => expect(await outside.join()).toMatchObject({ name: "ClosedResourceError", cause: cancelled[0] }));
      });
      expect(cancelled).toEqual([scope.signal.reason]);
    });
  });

  test("left: who receives in the background of the same nursery is cancelled, and does not fail", async () => {
    await simulate(async () => {
      await openNursery(async (nursery) => {
        const channel = fromReadableStream(fed<number>().stream);
        nursery.startSoon(() => channel.receive(), { background: true });
        await sleep(1);
      });
    });
  });

  test("cancelled before: the stream is cancelled at once", async () => {
    await simulate(async () => {
      const source = counting();
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        const channel = fromReadableStream(source.stream);
        expect([channel.isClosed, source.cancelled]).toEqual([true, [scope.signal.reason]]);
      });
    });
  });

  test("the stream's own cleanup is shielded, and has an ambient scope, in the task around it", async () => {
    const log: unknown[] = [];
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const task = currentTask();
        const { stream } = fed<number>(async () => {
          await sleep(3);
          log.push(currentTask() === task);
          log.push("cleaned up");
        });
        fromReadableStream(stream);
        scope.cancel();
        await checkpoint();
      });
    });
    expect(log).toEqual([true, "cleaned up"]);
  });

  test("a simulation gives the stream time, where all that it knows waits: to be read, and to let go", async () => {
    const turns = () => new Promise((resolve) => setTimeout(resolve, 20));
    await simulate(async (nursery) => {
      const { stream, controller } = fed<number>(() => turns().then(() => {}));
      const channel = fromReadableStream(stream);
      const other = nursery.startSoon(() => channel.receive());
      void turns().then(() => controller.enqueue(1));
      expect(await other.join()).toBe(1);
    });
    const stuck = simulate(() => fromReadableStream(fed<number>().stream).receive(), { settleMs: 1 });
    expect(await rejectionOf(stuck)).toMatchObject({
      name: "DeadlockError",
      message: expect.stringContaining(
        "\n  root > fromReadableStream > stream waits for something that is not of this library, and was not settled within 1 ms",
      ),
      waiting: [
        { task: "main", op: "receive", on: "StreamReceiveChannel" },
        { task: "root > fromReadableStream", op: "stream", on: "" },
      ],
    });
  });

  test("a simulation gives it no time when it has none to wait for: a deadlock is seen at once", async () => {
    const stuck = simulate(
      async () => {
        const { stream, controller } = fed<number>();
        const channel = fromReadableStream(stream);
        controller.enqueue(1);
        await channel.receive();
        await sleepForever();
      },
      { settleMs: 1_000_000 },
    );
    expect(await rejectionOf(stuck)).toMatchObject({ name: "DeadlockError" });
  });

  test("a cleanup that hangs holds the scope up no longer than its cleanupTimeout", async () => {
    const running = simulate(() =>
      openNursery(
        () => {
          fromReadableStream(fed<number>(() => new Promise(() => {})).stream);
        },
        { name: "short", cleanupTimeout: 50 },
      ),
    );
    expect(await rejectionOf(running)).toEqual(
      new TimeoutError(
        "the cleanups of root > short > fromReadableStream took longer than its cleanupTimeout of 50 ms",
        "root > short > fromReadableStream",
      ),
    );
  });

  test("R3: a cleanup that fails joins the failures", async () => {
    const [boom, bang] = [new Error("boom"), new Error("bang")];
    const running = simulate(async () => {
      fromReadableStream(fed<number>(() => Promise.reject(bang)).stream);
      throw boom;
    });
    expect(await rejectionOf(running)).toMatchObject({ errors: [boom, bang] });
  });

  test("is not left behind when the stream is over: nothing is kept in it, nothing waits", async () => {
    await simulate(async (nursery) => {
      await all(fromReadableStream(counting(2).stream));
      for await (const _ of fromReadableStream(counting().stream)) break;
      const { stream, controller } = fed<number>();
      fromReadableStream(stream);
      controller.close();
      await sleep(1);
      expect([nursery._firstWaiter, nursery._firstChild, nursery._rare?.cleanups]).toEqual([undefined, undefined, undefined]);
    });
  });
});

describe("misuse", () => {
  test("R13: what is no ReadableStream, and what is locked, is refused; nothing is left of it", async () => {
    await run(async (nursery) => {
      for (const [given, name] of [
        [undefined, "undefined"],
        [{ read: () => {} }, "an object"],
        [new WritableStream(), "a WritableStream"],
      ] as const) {
        expect(thrownBy(() => fromReadableStream(given as never))).toEqual(
          new TypeError(
            `fromReadableStream() takes a ReadableStream, not ${name}. For the streams of Node there is fromReadable() of creche/node`,
          ),
        );
      }
      const { stream } = counting();
      stream.getReader();
      expect(thrownBy(() => fromReadableStream(stream))).toBeInstanceOf(TypeError);
      await sleep(1);
      expect(nursery._firstChild).toBe(undefined);
    });
  });

  test("R13: without a scope, in an ended one, and where there is no nursery around it: the stream is not touched", async () => {
    const { stream } = counting();
    expect(thrownBy(() => fromReadableStream(stream))).toBeInstanceOf(MissingScopeError);
    const { signal } = new AbortController();
    expect(thrownBy(() => fromReadableStream(stream, { signal }))).toBeInstanceOf(UsageError);
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => fromReadableStream(stream, scope))).toBeInstanceOf(ScopeEndedError);
    });
    expect(stream.locked).toBe(false);
  });
});

/** A receiver of a random program. */
interface Receiver {
  readonly arrives: number;
  readonly takes: number;
  readonly cancelledAt: number | undefined;
}

const receivers: fc.Arbitrary<Receiver[]> = fc.array(
  fc.record({
    arrives: fc.nat({ max: 5 }),
    takes: fc.integer({ min: 1, max: 4 }),
    cancelledAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 6 },
);

test("R6, R11: no chunk is lost, doubled or out of order, and none is read that nobody asked for, whoever is cancelled when, at any schedule", async () => {
  await fc.assert(
    fc.asyncProperty(receivers, fc.array(fc.nat({ max: 3 }), { maxLength: 20 }), schedules(), async (program, pauses, schedule) => {
      await simulate(
        async (root) => {
          let made = 0;
          let asked = 0;
          let isAhead = false;
          const stream = new ReadableStream<number>(
            {
              async pull(controller) {
                isAhead ||= made >= asked;
                const pause = pauses[made] ?? 0;
                if (pause > 0) await sleep(pause, root);
                controller.enqueue(made++);
              },
            },
            { highWaterMark: 0 },
          );
          const channel = fromReadableStream(stream, root);
          /** What was received, by the order of the calls. */
          const received = new Map<number, number>();
          await openNursery((nursery) => {
            for (const { arrives, takes, cancelledAt } of program) {
              const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
              nursery.startSoon(() =>
                scope.run(async () => {
                  await sleep(arrives);
                  for (let i = 0; i < takes; i++) {
                    const call = asked++;
                    received.set(call, await channel.receive());
                  }
                }),
              );
            }
          });
          await sleep(10);
          const inOrderOfCalls = [...received].sort(([a], [b]) => a - b).map(([, chunk]) => chunk);
          expect(inOrderOfCalls).toEqual(inOrderOfCalls.map((_, i) => i));
          expect(isAhead).toBe(false);
          expect(made).toBeLessThanOrEqual(received.size + 1);
          asked++;
          expect(await channel.receive()).toBe(received.size);
        },
        { pick: pickOf(schedule) },
      );
    }),
    { numRuns: 300 },
  );
});
