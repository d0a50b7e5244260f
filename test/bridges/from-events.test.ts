import { EventEmitter } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  type EventStream,
  fromEvents,
  MissingScopeError,
  moveOnAfter,
  type OnOverflow,
  OverflowError,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  UsageError,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy, unhandledDuring } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { CountedTarget, listenersOf } from "./support.js";

const boom = new Error("boom");
const GONE = "no more events can be received: fromEvents() was called in a scope that has been cancelled or left meanwhile";

async function all<E>(stream: AsyncIterable<E>): Promise<E[]> {
  const seen: E[] = [];
  for await (const event of stream) seen.push(event);
  return seen;
}

describe("the loop", () => {
  test("gets each event, in order: those of before the loop, between its turns, and while it waits", async () => {
    await simulate(async (nursery) => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data", { endOn: "end" });
      emitter.emit("data", 1);
      emitter.emit("data", 2);
      nursery.startSoon(async () => {
        for (const n of [3, 4, 5]) {
          await sleep(2);
          emitter.emit("data", n);
        }
        emitter.emit("data", 6);
        emitter.emit("end");
        emitter.emit("data", 7);
      });
      expect(await all(events)).toEqual([[1], [2], [3], [4], [5], [6]]);
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("gets the event objects of an EventTarget", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const events = fromEvents(target, "message", { endOn: ["close", "end"], filter: (event) => event.type === "message" });
      const sent = [target.send("message"), target.send("message")];
      target.send("end");
      expect(await all(events)).toEqual(sent);
      expect(target.listeners).toBe(0);
    });
  });

  test("gets a failure after what came before it, again and again", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data");
      emitter.emit("data", 1);
      emitter.emit("error", boom);
      expect(listenersOf(emitter)).toBe(0);
      emitter.emit("data", 2);
      expect(await events.receive()).toEqual([1]);
      // It is no item that is used up.
      for (let i = 0; i < 3; i++) expect(await rejectionOf(events.receive())).toBe(boom);
      expect(await rejectionOf(all(events))).toBe(boom);
    });
  });

  test("that is left early removes the listeners, and drops what is left", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data");
      for (const n of [1, 2, 3]) emitter.emit("data", n);
      for await (const [n] of events) {
        expect(n).toBe(1);
        break;
      }
      expect([listenersOf(emitter), events.isClosed]).toEqual([0, true]);
      const error = await rejectionAs(ClosedResourceError, events.receive());
      expect(error.message).toBe("no more events can be received: it was closed by its own side");
      expect(await rejectionOf(failingIn(emitter))).toBe(boom);
      expect(listenersOf(emitter)).toBe(0);
    });

    async function failingIn(emitter: EventEmitter): Promise<void> {
      const events = fromEvents(emitter, "data");
      emitter.emit("data");
      for await (const _ of events) throw boom;
    }
  });

  test("that is cancelled closes them as well, be it while it waits or between two turns", async () => {
    await simulate(async () => {
      for (const isWaiting of [true, false]) {
        const emitter = new EventEmitter();
        const events = fromEvents<[number]>(emitter, "data");
        emitter.emit("data", 1);
        await moveOnAfter(5, async () => {
          for await (const _ of events) if (!isWaiting) await sleep(10);
        });
        expect([listenersOf(emitter), events.isClosed]).toEqual([0, true]);
      }
    });
  });

  test("leaves them open if it is told to", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data");
      emitter.emit("data", 1);
      emitter.emit("data", 2);
      for await (const _ of events.values({ preventCancel: true })) break;
      await moveOnAfter(5, async () => {
        for await (const _ of events.values({ preventCancel: true }));
      });
      emitter.emit("data", 3);
      expect([await events.receive(), events.isClosed]).toEqual([[3], false]);
    });
  });

  test("throws when somebody else closes them while it waits", async () => {
    await simulate(async (nursery) => {
      const events = fromEvents(new EventEmitter(), "data");
      nursery.startSoon(() => sleep(1).then(() => events.close()));
      await rejectionAs(ClosedResourceError, all(events));
    });
  });

  test("a filter that throws ends it with that, after what came before", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data", {
        filter: ([n]) => {
          if (n === 2) throw boom;
          return true;
        },
      });
      for (const n of [1, 2, 3]) emitter.emit("data", n);
      expect(await events.receive()).toEqual([1]);
      expect(await rejectionOf(events.receive())).toBe(boom);
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("a filter that answers neither yes nor no ends it with that, too", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents(emitter, "data", { filter: (async () => false) as never });
      emitter.emit("data", 1);
      const error = await rejectionAs(UsageError, events.receive());
      expect(error.message).toBe("`filter` of fromEvents() returns true or false, at once, not a Promise");
    });
  });

  test("can be left by `using`", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      {
        using events = fromEvents(emitter, "data");
        expect([listenersOf(emitter), events.dropped]).toEqual([2, 0]);
      }
      expect(listenersOf(emitter)).toBe(0);
    });
  });
});

describe("several that wait", () => {
  test("are served in order of arrival", async () => {
    await simulate(async (nursery) => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data", { endOn: "end" });
      const log: unknown[] = [];
      for (const name of ["a", "b", "c"]) nursery.startSoon(async () => log.push([name, await events.receive().then(([n]) => n, String)]));
      await sleep(1);
      emitter.emit("data", 1);
      emitter.emit("data", 2);
      emitter.emit("end");
      await sleep(1);
      expect(log).toEqual([
        ["a", 1],
        ["b", 2],
        ["c", "EndOfChannel: the events have come to their end"],
      ]);
    });
  });

  test("are all told of a failure, which is one and the same", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents(emitter, "data");
      const [one, two] = [events.receive(), events.receive()];
      emitter.emit("error", boom);
      expect(await Promise.all([one, two, events.receive()].map(rejectionOf))).toEqual([boom, boom, boom]);
    });
  });
});

describe("when there is no room", () => {
  const fill = (onOverflow?: OnOverflow) => {
    const emitter = new EventEmitter();
    const events = fromEvents<[number]>(emitter, "data", {
      capacity: 2,
      endOn: "end",
      ...(onOverflow === undefined ? {} : { onOverflow }),
    });
    for (const n of [1, 2, 3, 4]) emitter.emit("data", n);
    return { emitter, events };
  };

  test("it is a failure by default, told after what there was room for", async () => {
    await simulate(async () => {
      for (const onOverflow of [undefined, "fail"] as const) {
        const { emitter, events } = fill(onOverflow);
        expect(listenersOf(emitter)).toBe(0);
        expect([await events.receive(), await events.receive()]).toEqual([[1], [2]]);
        const error = await rejectionAs(OverflowError, events.receive());
        expect([error.name, error.message]).toEqual([
          "OverflowError",
          "there were 2 events that nobody had taken when the next one came. " +
            'Take them faster, give fromEvents() more `capacity`, or say which may be lost: { onOverflow: "dropOldest" }',
        ]);
      }
    });
  });

  test("the oldest or the newest are dropped, if that is wanted, and counted", async () => {
    await simulate(async () => {
      for (const [onOverflow, kept] of [
        ["dropOldest", [[3], [4]]],
        ["dropNewest", [[1], [2]]],
      ] as const) {
        const { emitter, events } = fill(onOverflow);
        emitter.emit("end");
        expect([await all(events), events.dropped]).toEqual([kept, 2]);
      }
    });
  });

  test("the default capacity is 1,000", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents(emitter, "data", { onOverflow: "dropNewest" });
      for (let n = 0; n < 1_001; n++) emitter.emit("data", n);
      expect(events.dropped).toBe(1);
    });
  });

  test("an event for one who waits needs no room", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data", { capacity: 1 });
      const [one, two] = [events.receive(), events.receive()];
      for (const n of [1, 2, 3]) emitter.emit("data", n);
      expect([await one, await two, await events.receive()]).toEqual([[1], [2], [3]]);
    });
  });
});

describe("cancellation", () => {
  test("of a receive() takes nothing", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const events = fromEvents<[number]>(emitter, "data");
      expect(await moveOnAfter(1, () => events.receive())).toBe(undefined);
      emitter.emit("data", 1);
      await moveOnAfter(1, async (scope) => {
        scope.cancel();
        expect(await rejectionOf(events.receive())).toBe(reasonOf(scope));
      });
      expect(await events.receive()).toEqual([1]);
    });
  });

  test("of the scope that it was called in removes the listeners at once; the loop throws it", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      await new CancelScope().run(async (scope) => {
        const events = fromEvents<[number]>(emitter, "data");
        emitter.emit("data", 1);
        scope.cancel();
        expect(listenersOf(emitter)).toBe(0);
        expect(await rejectionOf(events.receive())).toBe(reasonOf(scope));
        // What came before it can still be taken behind a shield; that there will be no more is an error, not an end.
        await shield(async () => {
          expect(await events.receive()).toEqual([1]);
          const error = await rejectionAs(ClosedResourceError, events.receive());
          expect([error.message, error.cause]).toEqual([GONE, scope.signal.reason]);
        });
      });
    });
  });

  test("before the call: nothing is listened to", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        const emitter = new EventEmitter();
        emitter.on = () => expect.unreachable();
        scope.cancel();
        const events = fromEvents(emitter, "data");
        expect(await rejectionOf(events.receive())).toBe(reasonOf(scope));
      }),
    );
  });

  test("in the middle of listening: none of it is left", async () => {
    await simulate(() =>
      new CancelScope().run((scope) => {
        class Cancelling extends EventEmitter {
          override on(name: string | symbol, listener: (...args: unknown[]) => void): this {
            scope.cancel();
            return super.on(name, listener);
          }
        }
        const emitter = new Cancelling();
        fromEvents(emitter, "data");
        expect(listenersOf(emitter)).toBe(0);
      }),
    );
  });

  test("the end of the scope that it was called in removes the listeners, also if nobody has ever iterated", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      let events: EventStream<[number]> | undefined;
      await new CancelScope({ name: "scope" }).run(() => {
        events = fromEvents<[number]>(emitter, "data");
        emitter.emit("data", 1);
      });
      expect(listenersOf(emitter)).toBe(0);
      expect(await events?.receive()).toEqual([1]);
      const error = await rejectionAs(ClosedResourceError, (events as EventStream<[number]>).receive());
      expect(error.message).toBe(GONE);
    });
  });

  test("a consumer elsewhere is told when that scope ends: by an error, not by that scope's cancellation", async () => {
    await simulate(async (root) => {
      let events: EventStream<unknown[]> | undefined;
      let told: unknown;
      root.startSoon(async () => {
        await sleep(1);
        told = await rejectionOf((events as EventStream<unknown[]>).receive());
      });
      await moveOnAfter(5, async () => {
        events = fromEvents(new EventEmitter(), "data");
        await sleep(10);
      });
      await sleep(1);
      expect(told).toBeInstanceOf(ClosedResourceError);
    });
  });

  test("who waits for an event, and is ended with the same scope, is cancelled: no error is reported", async () => {
    const unhandled = await unhandledDuring(() =>
      simulate(async () => {
        let told: unknown;
        await new CancelScope().run(() => {
          const events = fromEvents(new EventEmitter(), "data");
          void new CancelScope().run(async () => {
            told = await rejectionOf(events.receive());
          });
        });
        expect(told).toBeInstanceOf(Cancelled);
      }),
    );
    expect(unhandled).toEqual([]);
  });

  test("a nursery does not wait for it", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      await openNursery((nursery) => {
        fromEvents(emitter, "data");
        nursery.startSoon(() => sleep(1));
      });
      expect(listenersOf(emitter)).toBe(0);
    });
  });
});

describe("where scopes are passed as arguments", () => {
  test("it listens, and its loop waits, in the scope that it was given", async () => {
    await run(
      async (root) => {
        const emitter = new EventEmitter();
        const scope = new CancelScope({ timeout: 5 });
        await scope.run(async (own) => {
          for await (const _ of fromEvents(emitter, "data", undefined, own));
        }, root);
        expect([scope.cancelledCaught, listenersOf(emitter)]).toEqual([true, 0]);
      },
      { ambient: false },
    );
  });

  test("receive() takes one too", async () => {
    await simulate(async (root) => {
      const events = fromEvents(new EventEmitter(), "data");
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(events.receive(scope))).toBe(reasonOf(scope));
      });
      await rejectionAs(ScopeEndedError, events.receive(scope));
      const other = fromEvents(new EventEmitter(), "data", undefined, root);
      await rejectionAs(ScopeEndedError, other.receive(scope));
    });
  });

  test("under a foreign signal alone it listens until that is aborted, and no listener is left on it", async () => {
    const controller = new AbortController();
    const signal = new CountedTarget();
    Object.defineProperties(signal, {
      aborted: { get: () => controller.signal.aborted },
      reason: { get: () => controller.signal.reason },
    });
    const where = { signal: signal as unknown as AbortSignal };
    const emitter = new EventEmitter();
    for (const isAborted of [false, true]) {
      const events = fromEvents(emitter, "data", undefined, where);
      emitter.emit("data", 1);
      const loop = events[Symbol.asyncIterator]();
      expect(await loop.next()).toEqual({ done: false, value: [1] });
      expect([listenersOf(emitter), signal.listeners]).toEqual([2, 1]);
      if (isAborted) {
        const wait = loop.next();
        controller.abort();
        signal.send("abort");
        await expect(wait).rejects.toMatchObject({ kind: "signal" });
      } else await loop.return?.();
      expect([listenersOf(emitter), signal.listeners]).toEqual([0, 0]);
    }
  });
});

test("under a foreign signal inside a run, the loop is cancelled by that", async () => {
  await simulate(async (nursery) => {
    const controller = new AbortController();
    const emitter = new EventEmitter();
    nursery.startSoon(() => sleep(1).then(() => controller.abort("gone")));
    expect(await rejectionOf(all(fromEvents(emitter, "data", undefined, controller)))).toMatchObject({ kind: "signal", cause: "gone" });
    expect(listenersOf(emitter)).toBe(0);
  });
});

test("a scope that is passed says where it listens; its loop waits in the ambient one, and can be timed out there", async () => {
  await simulate(async (root) => {
    const emitter = new EventEmitter();
    expect(await moveOnAfter(5, () => all(fromEvents(emitter, "data", undefined, root)))).toBe(undefined);
    expect(listenersOf(emitter)).toBe(0);
  });
});

describe("misuse is a clear error at the call, and nothing is listened to:", () => {
  const emitter = new EventEmitter();
  test.each<[string, () => unknown, abstract new (...args: never) => Error, string]>([
    ["no scope", () => fromEvents(emitter, "x"), MissingScopeError, "there is no scope here"],
    ["no source", () => fromEvents({} as EventEmitter, "x"), TypeError, "fromEvents() takes something with on() and off()"],
    ["no name", () => fromEvents(emitter, undefined as never), TypeError, "fromEvents() takes the name of an event, not undefined"],
    [
      "no capacity",
      () => fromEvents(emitter, "x", { capacity: 0 }),
      RangeError,
      "`capacity` of fromEvents() is at least 1, because a source of events does not wait",
    ],
    ["a wrong capacity", () => fromEvents(emitter, "x", { capacity: 1.5 }), RangeError, "`capacity` of fromEvents() is a whole number"],
    [
      "a wrong policy",
      () => fromEvents(emitter, "x", { onOverflow: "drop" as OnOverflow }),
      UsageError,
      '`onOverflow` of fromEvents() is "fail", "dropOldest" or "dropNewest", not "drop"',
    ],
    [
      "a wrong filter",
      () => fromEvents(emitter, "x", { filter: "y" as never }),
      UsageError,
      '`filter` of fromEvents() takes a function, not "y"',
    ],
    [
      "a wrong name of an end",
      () => fromEvents(emitter, "x", { endOn: [null as never] }),
      TypeError,
      "fromEvents() takes the name of an event, not null",
    ],
    [
      "a wrong name of a failure",
      () => fromEvents(emitter, "x", { failOn: 5 as never }),
      TypeError,
      "fromEvents() takes the name of an event, not 5",
    ],
    [
      "a scope in place of the options",
      () => fromEvents(emitter, "x", new CancelScope() as object),
      UsageError,
      "fromEvents() takes its options before the scope",
    ],
  ])("%s", async (name, call, type, message) => {
    const check = () => {
      const error = thrownBy(call);
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message.startsWith(message)).toBe(true);
    };
    if (name === "no scope") check();
    else await simulate(check);
    expect(listenersOf(emitter)).toBe(0);
  });

  test("a scope that has ended", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => fromEvents(emitter, "x", undefined, scope))).toBeInstanceOf(ScopeEndedError);
    });
  });

  test("a source that refuses to be listened to", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const broken = {
        addEventListener: (name: string, listener: () => void) => {
          if (name === "close") throw boom;
          target.addEventListener(name, listener);
        },
        removeEventListener: target.removeEventListener.bind(target),
      };
      expect(thrownBy(() => fromEvents(broken, "x", { endOn: "close" }))).toBe(boom);
      expect(target.listeners).toBe(0);
    });
  });
});

/** A random program: when events come, and who takes them. */
interface Program {
  /** Pauses between events; 0 for at once. */
  readonly events: readonly number[];
  readonly capacity: number;
  readonly onOverflow: OnOverflow;
  readonly consumers: readonly { readonly starts: number; readonly pause: number; readonly patience: number; readonly takes: number }[];
  readonly end: "end" | "error" | "none";
  readonly cancelledAt: number | undefined;
}

const programs: fc.Arbitrary<Program> = fc.record({
  events: fc.array(fc.nat({ max: 3 }), { maxLength: 15 }),
  capacity: fc.integer({ min: 1, max: 4 }),
  onOverflow: fc.constantFrom("fail", "dropOldest", "dropNewest"),
  consumers: fc.array(
    fc.record({
      starts: fc.nat({ max: 8 }),
      pause: fc.nat({ max: 4 }),
      patience: fc.integer({ min: 1, max: 6 }),
      takes: fc.nat({ max: 8 }),
    }),
    { maxLength: 3 },
  ),
  end: fc.constantFrom("end", "error", "none"),
  cancelledAt: fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 3 }),
});

test("no event is lost, doubled or reordered but as the policy says, whoever is cancelled while he waits; under random schedules", async () => {
  await fc.assert(
    fc.asyncProperty(programs, schedules(), async ({ events, capacity, onOverflow, consumers, end, cancelledAt }, schedule) => {
      const emitter = new EventEmitter();
      const taken: number[] = [];
      // A model of the buffer, that sees what happens from outside: what is waiting to be taken, and what was lost.
      const emitted: number[] = [];
      const failures = new Set<unknown>();
      let stream: EventStream<[number]> | undefined;
      await simulate(
        async (root) => {
          const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
          await scope.run(() =>
            openNursery(async (nursery) => {
              const own = fromEvents<[number]>(emitter, "data", { capacity, onOverflow, endOn: "end" });
              stream = own;
              for (const { starts, pause, patience, takes } of consumers) {
                nursery.startSoon(async () => {
                  await sleep(starts);
                  for (let i = 0; i < takes; i++) {
                    try {
                      const event = await moveOnAfter(patience, () => own.receive());
                      if (event !== undefined) taken.push(event[0]);
                    } catch (error) {
                      if (error === boom || error instanceof OverflowError) failures.add(error);
                      else if (!(error instanceof EndOfChannel)) throw error;
                    }
                    await (pause === 0 ? checkpoint() : sleep(pause));
                  }
                });
              }
              nursery.startSoon(async () => {
                let n = 0;
                for (const ms of events) {
                  if (ms > 0) await sleep(ms);
                  if (emitter.listenerCount("data") > 0) emitted.push(n);
                  emitter.emit("data", n++);
                }
                if (end === "end") emitter.emit("end");
                if (end === "error" && emitter.listenerCount("error") > 0) emitter.emit("error", boom);
              });
            }),
          );
          void root;
        },
        { pick: pickOf(schedule) },
      );
      expect(listenersOf(emitter)).toBe(0);
      const { dropped } = stream ?? { dropped: 0 };
      // Several consumers may be told of two events in another order than these came in; one by one they are told in order.
      const inOrder = [...taken].sort((a, b) => a - b);
      expect(new Set(taken).size).toBe(taken.length);
      expect(inOrder.every((n) => emitted.includes(n))).toBe(true);
      if (consumers.length === 1) expect(taken).toEqual(inOrder);
      expect(failures.size).toBeLessThanOrEqual(1);
      if (onOverflow === "fail") {
        expect(dropped).toBe(0);
        // What was taken is a beginning of what came: nothing is missing in between.
        expect(inOrder).toEqual(emitted.slice(0, inOrder.length));
      } else {
        const missing = emitted.filter((n) => !taken.includes(n) && n < (inOrder.at(-1) ?? 0));
        expect(missing.length).toBeLessThanOrEqual(dropped);
      }
      if (onOverflow === "dropNewest" || dropped === 0) expect(inOrder.length + dropped).toBeLessThanOrEqual(emitted.length);
    }),
    { numRuns: 500 },
  );
});

type Act = { readonly do: "emit" | "take" | "cancel" | "end" | "fail" | "leave"; readonly which: number };

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    do: fc.oneof(
      { arbitrary: fc.constantFrom<Act["do"][]>("emit", "take", "cancel"), weight: 12 },
      { arbitrary: fc.constantFrom<Act["do"][]>("end", "fail", "leave"), weight: 1 },
    ),
    which: fc.nat(),
  }),
  { maxLength: 30 },
);

test("each receive() gets what a queue of its capacity would give it", async () => {
  await fc.assert(
    fc.asyncProperty(
      acts,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom<OnOverflow[]>("fail", "dropOldest", "dropNewest"),
      (program, capacity, onOverflow) =>
        simulate(async () => {
          const emitter = new EventEmitter();
          const stream = fromEvents<[number]>(emitter, "data", { capacity, onOverflow, endOn: "end" });
          const takes: { readonly scope: CancelScope; readonly got: Promise<unknown> }[] = [];
          // The model: what waits to be taken, who waits to take, what each of those has got, and how it ends.
          const buffer: number[] = [];
          const waiting: number[] = [];
          const expected: unknown[] = [];
          let end: unknown;
          const finish = (how: unknown) => {
            if (end !== undefined) return;
            end = how;
            for (const take of waiting.splice(0)) expected[take] = end;
          };
          let n = 0;
          for (const { do: act, which } of program) {
            if (act === "emit") {
              emitter.emit("data", ++n);
              const take = waiting.shift();
              if (end !== undefined) continue;
              if (take !== undefined) expected[take] = n;
              else if (buffer.length < capacity) buffer.push(n);
              else if (onOverflow === "fail") finish("overflow");
              else if (onOverflow === "dropOldest") buffer.push(n) && buffer.shift();
            } else if (act === "take") {
              const scope = new CancelScope();
              const take = takes.length;
              const got = scope.run(async () => {
                try {
                  const [n] = await stream.receive();
                  return n;
                } catch (error) {
                  if (error === boom) return "failed";
                  if (error instanceof EndOfChannel) return "done";
                  if (error instanceof ClosedResourceError) return "closed";
                  if (error instanceof OverflowError) return "overflow";
                  throw error;
                }
              });
              takes.push({ scope, got });
              if (buffer.length > 0) expected[take] = buffer.shift();
              else if (end === undefined) waiting.push(take);
              else expected[take] = end;
            } else if (act === "cancel" && takes.length > 0) {
              const take = which % takes.length;
              takes[take]?.scope.cancel();
              const place = waiting.indexOf(take);
              if (place >= 0) waiting.splice(place, 1);
            } else if (act === "end") {
              emitter.emit("end");
              finish("done");
            } else if (act === "fail" && emitter.listenerCount("error") > 0) {
              emitter.emit("error", boom);
              finish("failed");
            } else if (act === "leave") {
              stream.close();
              buffer.length = 0;
              finish("closed");
              end = "closed";
            }
            expect(listenersOf(emitter)).toBe(end === undefined ? 3 : 0);
          }
          stream.close();
          for (const take of waiting) expected[take] = "closed";
          const got = await Promise.all(takes.map(({ got }) => got));
          expect(got).toEqual(takes.map((_, i) => expected[i]));
        }),
    ),
    { numRuns: 1_000 },
  );
});
