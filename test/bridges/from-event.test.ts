import { EventEmitter } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  type EventName,
  failAfter,
  fromEvent,
  MissingScopeError,
  moveOnAfter,
  now,
  run,
  sleep,
  TimeoutError,
  UsageError,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { CountedTarget, listenersOf } from "./support.js";

const boom = new Error("boom");

describe("of an EventEmitter", () => {
  test("resolves to the arguments of the next event of that name", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const symbol = Symbol("event");
      for (const name of ["data", symbol]) {
        const wait = fromEvent(emitter, name);
        emitter.emit("other", 0);
        emitter.emit(name, 1, "two");
        emitter.emit(name, 3);
        expect(await wait).toEqual([1, "two"]);
      }
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("an error event is thrown, as long as it waits; unless it is what one waits for", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const failing = fromEvent(emitter, "data");
      emitter.emit("error", boom);
      expect(await rejectionOf(failing)).toBe(boom);
      const wanted = fromEvent(emitter, "error");
      emitter.emit("error", boom);
      expect(await wanted).toEqual([boom]);
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("an error event that has no error is one all the same", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const failing = fromEvent(emitter, "data");
      emitter.emit("error");
      expect(await rejectionOf(failing)).toMatchObject({ message: 'the event "error" came, which is a failure, without an error' });
      const empty = fromEvent(emitter, "data");
      emitter.emit("error", undefined);
      expect(await rejectionOf(empty)).toBe(undefined);
    });
  });

  test("is recognised by its methods alone: `on` with `off`, or with `removeListener`", async () => {
    await simulate(async () => {
      for (const remove of ["off", "removeListener"] as const) {
        const listeners = new Set<(value: string) => void>();
        const homemade = {
          on: (_name: string, listener: (value: string) => void) => void listeners.add(listener),
          [remove]: (_name: string, listener: (value: string) => void) => void listeners.delete(listener),
        } as unknown as EventEmitter;
        const wait = fromEvent(homemade, "data", { failOn: [] });
        for (const listener of listeners) listener("value");
        expect([await wait, listeners.size]).toEqual([["value"], 0]);
      }
    });
  });

  test("that is an EventTarget as well, as a WebSocket of `ws`, is taken as an emitter", async () => {
    await simulate(async () => {
      const both = Object.assign(new EventEmitter(), {
        addEventListener: () => {
          throw boom;
        },
        removeEventListener: () => {},
      });
      const wait = fromEvent(both, "message");
      both.emit("message", "data", true);
      expect(await wait).toEqual(["data", true]);
    });
  });
});

describe("of an EventTarget", () => {
  test("resolves to the next event of that name", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const wait = fromEvent(target, "message");
      target.send("other");
      const event = target.send("message");
      target.send("message");
      expect(await wait).toBe(event);
      expect(target.listeners).toBe(0);
    });
  });

  test("an error event is nothing special, unless `failOn` says so: then its error is thrown, or else an error with the event as its cause", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const patient = fromEvent(target, "message");
      target.send("error");
      target.send("message");
      await patient;
      const failing = fromEvent(target, "message", { failOn: ["error", "close"] });
      target.send("error", { error: boom });
      expect(await rejectionOf(failing)).toBe(boom);
      const closing = fromEvent(target, "message", { failOn: ["error", "close"] });
      const event = target.send("close");
      expect(await rejectionOf(closing)).toMatchObject({ message: 'the event "close" came, which is a failure', cause: event });
      expect(target.listeners).toBe(0);
    });
  });

  test("an event whose error cannot be asked for is a failure all the same", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const failing = fromEvent(target, "message", { failOn: "error" });
      const event = Object.defineProperty(new Event("error"), "error", {
        get() {
          throw boom;
        },
      });
      target.dispatchEvent(event);
      expect(await rejectionOf(failing)).toMatchObject({ message: 'the event "error" came, which is a failure', cause: event });
    });
  });

  test("works for an AbortSignal", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      const wait = fromEvent(controller.signal, "abort");
      controller.abort();
      expect((await wait).type).toBe("abort");
    });
  });
});

describe("`filter`", () => {
  test("says which events count: those for which it does not return false", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const wait = fromEvent<[number]>(emitter, "data", { filter: ([n]) => n > 1 });
      for (const n of [0, 1, 2, 3]) emitter.emit("data", n);
      expect(await wait).toEqual([2]);
    });
  });

  test("that throws has the wait throw that, and not the source", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const wait = fromEvent(emitter, "data", {
        filter: () => {
          throw boom;
        },
      });
      expect(emitter.emit("data")).toBe(true);
      expect(await rejectionOf(wait)).toBe(boom);
      expect(listenersOf(emitter)).toBe(0);
    });
  });
});

describe("no listener is left", () => {
  test("when it is cancelled, at once; events that come later go nowhere", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      const emitter = new EventEmitter();
      const scope = new CancelScope();
      await scope.run(async () => {
        const waits = [fromEvent(target, "x"), fromEvent(emitter, "x")];
        expect([target.listeners, listenersOf(emitter)]).toEqual([1, 2]);
        scope.cancel();
        expect([target.listeners, listenersOf(emitter)]).toEqual([0, 0]);
        emitter.emit("x", "late");
        for (const wait of waits) expect(await rejectionOf(wait)).toBe(reasonOf(scope));
      });
    });
  });

  test("when it is left floating", async () => {
    await simulate(async () => {
      const target = new CountedTarget();
      await new CancelScope().run(() => void fromEvent(target, "x"));
      expect(target.listeners).toBe(0);
    });
  });

  test("none is made in a cancelled scope", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        const target = new CountedTarget();
        scope.cancel();
        expect(await rejectionOf(fromEvent(target, "x"))).toBe(reasonOf(scope));
        expect(target.listeners).toBe(0);
      }),
    );
  });

  test("when listening fails half-way", async () => {
    await simulate(async () => {
      class Picky extends EventEmitter {
        override on(name: EventName, listener: (...args: unknown[]) => void): this {
          if (name === "error") throw boom;
          return super.on(name, listener);
        }
      }
      const emitter = new Picky();
      expect(await rejectionOf(fromEvent(emitter, "data"))).toBe(boom);
      expect(emitter.listenerCount("data")).toBe(0);
    });
  });

  test("of a source that sends an event while it is being listened to", async () => {
    await simulate(async () => {
      const asked: EventName[] = [];
      class Eager extends EventEmitter {
        override on(name: EventName, listener: (...args: unknown[]) => void): this {
          asked.push(name);
          super.on(name, listener);
          if (name === "data") this.emit("data", "at once");
          return this;
        }
      }
      const emitter = new Eager();
      expect(await fromEvent(emitter, "data")).toEqual(["at once"]);
      expect([listenersOf(emitter), asked]).toEqual([0, ["data"]]);
    });
  });

  test("and if one cannot be removed, that is reported to the process, and the wait ends as it did", async () => {
    const { uncaught } = await watchProcess(() =>
      simulate(async () => {
        const emitter = new EventEmitter();
        emitter.off = () => {
          throw boom;
        };
        const wait = fromEvent(emitter, "data", { failOn: [] });
        emitter.emit("data", 1);
        expect(await wait).toEqual([1]);
        await moveOnAfter(1, () => fromEvent(emitter, "data", { failOn: [] }));
        expect(now()).toBe(1);
      }),
    );
    expect(uncaught).toEqual([boom, boom]);
  });
});

test("the order of events of one moment decides: the first one counts, whichever it is", async () => {
  await simulate(async () => {
    const emitter = new EventEmitter();
    const one = fromEvent(emitter, "data");
    emitter.emit("data", "value");
    expect(listenersOf(emitter)).toBe(0);
    const two = fromEvent(emitter, "data");
    emitter.emit("error", boom);
    emitter.emit("data", "value");
    expect([await one, await rejectionOf(two)]).toEqual([["value"], boom]);
  });
});

test("a deadline around it works", async () => {
  await simulate(async () => {
    const emitter = new EventEmitter();
    await rejectionAs(
      TimeoutError,
      failAfter(5, () => fromEvent(emitter, "data")),
    );
    expect(listenersOf(emitter)).toBe(0);
  });
});

test("waits in the scope that it is passed", async () => {
  await run(
    async (root) => {
      const emitter = new EventEmitter();
      root.startSoon(async (task) => {
        await sleep(1, task);
        emitter.emit("data", 1);
      });
      expect(await fromEvent(emitter, "data", undefined, root)).toEqual([1]);
    },
    { ambient: false },
  );
});

describe("misuse is a clear error, and nothing is listened to:", () => {
  test.each<[string, unknown, unknown, unknown, string]>([
    [
      "no source",
      {},
      "x",
      TypeError,
      "fromEvent() takes something with on() and off(), or with addEventListener() and removeEventListener(), not an object",
    ],
    [
      "half a source",
      { on: () => {} },
      "x",
      TypeError,
      "fromEvent() takes something with on() and off(), or with addEventListener() and removeEventListener(), not an object",
    ],
    [
      "nothing",
      undefined,
      "x",
      TypeError,
      "fromEvent() takes something with on() and off(), or with addEventListener() and removeEventListener(), not undefined",
    ],
    ["no name", new EventEmitter(), 5, TypeError, "fromEvent() takes the name of an event, not 5"],
  ])("%s", async (_, target, name, type, message) => {
    await simulate(async () => {
      const error = await rejectionOf(fromEvent(target as EventEmitter, name as string));
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message).toBe(message);
    });
  });

  test("a filter that answers neither yes nor no, as an async one does", async () => {
    await simulate(async () => {
      for (const [answer, given] of [
        [Promise.resolve(true), "a Promise"],
        [undefined, "undefined"],
      ]) {
        const emitter = new EventEmitter();
        const wait = fromEvent(emitter, "x", { filter: () => answer as never });
        const told = rejectionAs(UsageError, wait);
        emitter.emit("x");
        expect((await told).message).toBe(`\`filter\` of fromEvent() returns true or false, at once, not ${given}`);
        expect(listenersOf(emitter)).toBe(0);
      }
    });
  });

  test("names of failures that are none", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      for (const failOn of [5, ["x", undefined], {}] as never[]) {
        const error = await rejectionAs(TypeError, fromEvent(emitter, "x", { failOn }));
        expect(error.message).toMatch(/^fromEvent\(\) takes the name of an event, not /);
      }
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("wrong options", async () => {
    await simulate(async () => {
      const emitter = new EventEmitter();
      const filter = await rejectionAs(UsageError, fromEvent(emitter, "x", { filter: 5 as never }));
      expect(filter.message).toBe("`filter` of fromEvent() takes a function, not 5");
      const scope = await rejectionAs(UsageError, fromEvent(emitter, "x", new CancelScope() as object));
      expect(scope.message).toBe("fromEvent() takes its options before the scope: pass undefined for no options");
      expect(listenersOf(emitter)).toBe(0);
    });
  });

  test("no scope", async () => {
    await rejectionAs(MissingScopeError, fromEvent(new EventEmitter(), "x"));
  });
});

test("the first of what ends it counts, and nothing is left: an event that it wants, one that is a failure, or a cancellation; under random schedules", async () => {
  const event = fc.record({ at: fc.nat({ max: 8 }), name: fc.constantFrom("data", "data", "other", "error"), value: fc.nat({ max: 3 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 6 }),
      fc.option(fc.nat({ max: 8 }), { nil: undefined }),
      fc.nat({ max: 3 }),
      schedules(),
      async (events, cancelledAt, least, schedule) => {
        const emitter = new EventEmitter();
        const cancelled = (cancelledAt ?? 20) + 0.5;
        await simulate(
          async (root) => {
            // At one instant there is one event, so that the schedule does not decide which is the first.
            const sent = new Map(events.map((each) => [each.at, each]));
            for (const { at, name, value } of sent.values()) {
              root.startSoon(async () => {
                await sleep(at + 1);
                if (name !== "error" || emitter.listenerCount("error") > 0) emitter.emit(name, value);
              });
            }
            const scope = new CancelScope({ timeout: cancelled });
            const outcome = await scope
              .run(() => fromEvent<[number]>(emitter, "data", { filter: ([n]) => n >= least }))
              .catch((error: unknown) => ({ error }));
            const [first] = [...sent.values()]
              .filter(({ name, value }) => name === "error" || (name === "data" && value >= least))
              .sort((a, b) => a.at - b.at);
            const ends = Math.min(cancelled, (first?.at ?? 100) + 1);
            expect([now(), listenersOf(emitter)]).toEqual([ends, 0]);
            if (ends === cancelled) expect([outcome, scope.cancelledCaught]).toEqual([undefined, true]);
            else expect(outcome).toEqual(first?.name === "error" ? { error: first.value } : [first?.value]);
          },
          { pick: pickOf(schedule) },
        );
        expect(listenersOf(emitter)).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});
