import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import {
  abandonOnCancel,
  CancelScope,
  cancellable,
  checkpoint,
  DeadlockError,
  Event,
  fromCallback,
  fromEvent,
  fromEvents,
  moveOnAfter,
  type Parked,
  park,
  select,
} from "../../src/index.js";
import { rejectionAs } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { deferred } from "./support.js";

/** What takes real time. */
const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 20, value));

function emitting(): EventEmitter {
  const emitter = new EventEmitter();
  void later("event").then((value) => emitter.emit("data", value));
  return emitter;
}

describe("simulated time waits, in real time, for what comes from outside:", () => {
  /** On a busy machine it may take long. */
  const patient = { settleMs: 20_000 };

  test.each<[string, () => Promise<unknown>, unknown]>([
    ["cancellable()", () => cancellable(() => later("value")), "value"],
    ["abandonOnCancel()", () => abandonOnCancel(later("value")), "value"],
    ["fromCallback()", () => fromCallback((done) => void later("value").then(done.resolve)), "value"],
    ["fromEvent()", () => fromEvent(emitting(), "data"), ["event"]],
    ["a loop over events", () => firstOf(fromEvents(emitting(), "data")), ["event"]],
    ["receive() of events", () => fromEvents(emitting(), "data").receive(), ["event"]],
    ["select() of events", () => select({ never: new Event(), data: fromEvents(emitting(), "data") }), { key: "data", value: ["event"] }],
    [
      "park() that says so",
      () => park((parked: Parked<string>) => void later("value").then(parked.wake.bind(parked)), { foreign: true }),
      "value",
    ],
  ])("%s", async (_, wait, value) => {
    expect(await simulate(wait, patient)).toEqual(value);
    // Where somebody else waits for the one who waits.
    expect(await simulate((nursery) => nursery.startSoon(() => wait()).join(), patient)).toEqual(value);
  });

  test("the late value of what was given up", async () => {
    const given = new Event();
    await simulate(async () => {
      const { promise, resolve } = deferred<string>();
      await moveOnAfter(5, () => abandonOnCancel(promise, { onLate: () => given.set() }));
      void later("value").then(resolve);
      await given.wait();
    });
  });

  async function firstOf<T>(iterable: AsyncIterable<T>): Promise<T> {
    for await (const item of iterable) return item;
    throw new Error("there is none");
  }
});

describe("a deadlock report", () => {
  test("names what comes from outside, and did not come", async () => {
    const error = await rejectionAs(
      DeadlockError,
      simulate(
        (nursery) => {
          nursery.startSoon(() => fromEvent(new EventEmitter(), "data"), { name: "a" });
          nursery.startSoon(() => fromEvents(new EventEmitter(), "data").receive(), { name: "b" });
          nursery.startSoon(() => cancellable(() => new Promise(() => {}), { op: "query", settle: "now" }), { name: "c" });
        },
        { settleMs: 1 },
      ),
    );
    const foreign =
      "waits for something that is not of this library, and was not settled within 1 ms of real time; between tasks, use an Event or join()";
    expect(error.message).toBe(
      `nothing can go on any more, and no time can pass that would change that:
  main waits: leave root, in which a, b and c go on
  root > a waits: event data EventEmitter
  root > b waits: receive EventStream
  root > c waits: query
  root > a ${foreign}
  root > b > events ${foreign}
  root > c ${foreign}`,
    );
  });

  test("counts what was given up and goes on", async () => {
    const [one, other] = [deferred(), deferred()];
    const stuck = (...promises: Promise<void>[]) =>
      simulate(
        async () => {
          for (const promise of promises) await moveOnAfter(1, () => abandonOnCancel(promise));
          await new Event().wait();
        },
        { settleMs: 1 },
      );
    expect((await rejectionAs(DeadlockError, stuck(one.promise))).message).toMatch(
      /\n {2}main waits: wait Event\n {2}1 foreign operation that was given up goes on$/,
    );
    expect((await rejectionAs(DeadlockError, stuck(one.promise, other.promise))).message).toMatch(
      /\n {2}2 foreign operations that were given up go on$/,
    );
  });

  test("is made at once where nothing comes from outside: one listens to events, and nobody waits for any", async () => {
    await rejectionAs(
      DeadlockError,
      simulate(
        async () => {
          const emitter = new EventEmitter();
          const events = fromEvents(emitter, "data");
          await moveOnAfter(1, () => fromEvents(emitter, "data").receive());
          emitter.emit("data");
          await events.receive();
          await new Event().wait();
        },
        { settleMs: 1e6 },
      ),
    );
  });
});

test("a scope that is printed says what was left behind in it", async () => {
  const { promise, resolve } = deferred();
  const scope = new CancelScope({ name: "scope" });
  await simulate(async (root) => {
    await scope.run(() => {
      scope.cancel();
      return abandonOnCancel(promise);
    });
    expect(String(scope)).toMatch(/^CancelScope \{ root > scope, ended, .*, 1 abandoned \}$/);
    expect(String(root)).toBe("Nursery { root, open, 1 abandoned }");
    resolve();
    await checkpoint();
    expect(String(root)).toBe("Nursery { root, open }");
  });
});
