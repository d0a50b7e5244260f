import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  checkpoint,
  Event,
  Lock,
  mapStream,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { growth, NOTHING } from "./heap.js";

const COUNT = 1_000_000;

test("the heap can be measured: what is kept shows", async () => {
  const kept: object[] = [];
  const grown = await growth(100_000, async (size) => {
    for (let i = 0; i < size; i++) kept.push({ i });
  });
  expect(grown).toBeGreaterThan(NOTHING);
  // It was asked three times, because once might be chance.
  expect(kept.length).toBe(310_000);
});

/** What a task of a long-lived nursery may do, how often, and how one is started. */
const WORK: readonly (readonly [count: number, what: string, start: (nursery: Nursery) => unknown])[] = [
  [COUNT, "return", (nursery) => nursery.startSoon(() => 5)],
  [COUNT, "wait", (nursery) => nursery.startSoon((task) => checkpoint(task))],
  [COUNT, "are joined", (nursery) => nursery.startSoon(() => new Array(10)).join(nursery)],
  [COUNT, "have a disposable result that is joined", (nursery) => nursery.startSoon(() => ({ [Symbol.dispose]: () => {} })).join(nursery)],
  [
    COUNT / 5,
    "have a disposable result that is joined after their end",
    async (nursery) => {
      const task = nursery.startSoon(() => ({ [Symbol.dispose]: () => {} }));
      while (task.state !== "done") await checkpoint(nursery);
      await task.join(nursery);
    },
  ],
  [COUNT / 5, "have a signal", (nursery) => nursery.startSoon((task) => task.signal.addEventListener("abort", () => {}))],
  [COUNT / 5, "run in the background", (nursery) => nursery.startSoon(() => {}, { background: true })],
  [COUNT / 5, "are started", (nursery) => nursery.start<void>((_task, started) => started(), nursery)],
  [
    COUNT / 5,
    "fail in a nursery of their own",
    (nursery) => nursery.startSoon((task) => openNursery(() => Promise.reject(5), task).catch(() => {})),
  ],
];

test.each(WORK)("a nursery that has run %d short tasks that %s keeps nothing of them", async (count, _, start) => {
  const grown = await run(
    (nursery) =>
      growth(count, async (size) => {
        for (let i = 0; i < size; i++) void start(nursery);
        await sleep(0, nursery);
        await new Promise((resolve) => setImmediate(resolve));
      }),
    { ambient: false },
  );
  expect(grown).toBeLessThan(NOTHING);
});

test("a stream of 100,000 results keeps nothing of their items, which had something to clean up, though the results could be disposed", async () => {
  async function* endless() {
    for (let i = 0; ; i++) yield i;
  }
  const tidy = (_: number, item: CancelScope) => {
    item.defer(() => {});
    return { [Symbol.dispose]: () => {} };
  };
  const grown = await run(
    async (nursery) => {
      const results = mapStream(endless(), tidy, { concurrency: 4 }, nursery);
      const taken = await growth(COUNT / 10, async (size) => {
        for (let i = 0; i < size; i++) await results.receive(nursery);
      });
      results.close();
      return taken;
    },
    { ambient: false },
  );
  expect(grown).toBeLessThan(NOTHING);
});

test("a scope in which 1,000,000 scopes, timeouts, sleeps and waits have come and gone keeps nothing of them", async () => {
  const lock = new Lock();
  const set = new Event();
  set.set();
  const things: Record<string, (scope: CancelScope) => Promise<unknown>> = {
    scopes: (scope) => new CancelScope().run(() => {}, scope),
    timeouts: (scope) => moveOnAfter(1e6, () => {}, scope),
    nurseries: (scope) => openNursery(() => {}, scope),
    locks: (scope) => lock.run(() => {}, scope),
    events: (scope) => set.wait(scope),
  };
  const grown = await run(
    async (root) => {
      // A far deadline keeps the heap of timers from being emptied as a whole.
      root.deadline = now() + 1e9;
      const grown: Record<string, number> = {};
      for (const [name, make] of Object.entries(things)) {
        grown[name] = await growth(COUNT / 5, async (size) => {
          for (let i = 0; i < size; i++) await make(root);
        });
      }
      return grown;
    },
    { ambient: false },
  );
  for (const [name, bytes] of Object.entries(grown)) expect([name, bytes < NOTHING]).toEqual([name, true]);
});

test("a long-lived scope keeps nothing of 200,000 operations that were cancelled in it", async () => {
  const event = new Event();
  const grown = await run(
    (root) =>
      growth(COUNT / 5, async (size) => {
        for (let i = 0; i < size; i++) {
          root.startSoon((task) => {
            const waiting = i % 2 === 0 ? event.wait(task) : sleep(1e6, task);
            task.cancel();
            return waiting;
          });
        }
        await sleep(0, root);
        await new Promise((resolve) => setImmediate(resolve));
      }),
    { ambient: false },
  );
  expect(event.statistics().tasksWaiting).toBe(0);
  expect(grown).toBeLessThan(NOTHING);
});

/** What may be done under a foreign signal, and how often. */
const UNDER: readonly (readonly [count: number, what: string, open: (where: Cancellable) => Promise<unknown>])[] = [
  [COUNT, "scopes", (where) => new CancelScope().run(() => {}, where)],
  [COUNT / 5, "timeouts", (where) => moveOnAfter(1e6, () => {}, where)],
  [COUNT / 5, "nurseries", (where) => openNursery(() => {}, where)],
  [COUNT / 5, "operations", (where) => checkpoint(where)],
];

test.each(UNDER)("a foreign signal under which %d %s have come and gone keeps nothing of them, and no listener", async (count, _, open) => {
  const { signal } = new AbortController();
  const grown = await growth(count, async (size) => {
    for (let i = 0; i < size; i++) await open({ signal });
  });
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(grown).toBeLessThan(NOTHING);
});

test("a foreign signal has one listener, however many scopes are open under it, and keeps nothing of those that are not", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let told = 0;
  const grown = await run(async (root) => {
    for (let i = 0; i < 100; i++) {
      root.startSoon(() =>
        sleepForever({ signal }).catch(() => {
          told++;
        }),
      );
    }
    await sleep(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    const grown = await growth(COUNT / 5, async (size) => {
      for (let i = 0; i < size; i++) await shield(() => {}, { signal });
    });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort();
    return grown;
  });
  expect(told).toBe(100);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(grown).toBeLessThan(NOTHING);
});

test("200,000 runs, one after the other, leave nothing", async () => {
  const grown = await growth(COUNT / 5, async (size) => {
    for (let i = 0; i < size; i++) await run(() => {}, { ambient: false });
  });
  expect(grown).toBeLessThan(NOTHING);
});
