import type { Contender } from "./contender.js";
import { Group } from "./group.js";
import { kept } from "./kept.js";
import { PromiseRing, throughQueue } from "./promise-ring.js";
import { Rendezvous } from "./rendezvous.js";
import { sleeper } from "./sleeper.js";
import { child, childOf, items, LIMIT, often, step, TEN, THREE, tally } from "./work.js";

/** What is written by hand to get about what a nursery guarantees: a controller for each child, the first failure aborts the others, all are awaited. */
export const careful: Contender = {
  timed: {
    spawn: async (n) => {
      const group = new Group();
      for (let i = 0; i < n; i++) group.start(childOf(i));
      await group.join();
    },
    cancel: async (n) => {
      const group = new Group();
      for (let i = 0; i < n; i++) group.start((signal) => sleeper(i, signal));
      await undefined;
      group.abort(new Error("stop"));
      await group.join().catch(() => {});
    },
    nested: (n) => carefulNest(n, undefined),
    map: async (n) => {
      const results: number[] = new Array(n);
      const group = new Group();
      let next = 0;
      for (let k = 0; k < LIMIT; k++) {
        group.start(async (signal) => {
          while (next < n) {
            signal.throwIfAborted();
            const i = next++;
            results[i] = await step(items(n)[i] as number);
          }
        });
      }
      await group.join();
      return results;
    },
    channel16: (n) => throughQueue(n, new PromiseRing(new AbortController().signal)),
    channel0: (n) => throughQueue(n, new Rendezvous(new AbortController().signal)),
    checkpoint: async (n) => {
      const { signal } = new AbortController();
      for (let i = 0; i < n; i++) {
        signal.throwIfAborted();
        await undefined;
        signal.throwIfAborted();
        tally.done++;
      }
    },
    all: (n) =>
      often(n, async () => {
        const group = new Group();
        for (const fn of TEN) group.start(fn);
        await group.join();
      }),
    race: (n) =>
      often(n, async () => {
        const controller = new AbortController();
        const runners = THREE.map((fn) => fn());
        try {
          return await Promise.race(runners);
        } finally {
          controller.abort();
          await Promise.allSettled(runners);
        }
      }),
  },
  bytes: {
    idle: async (n, heap) => {
      const group = new Group();
      const before = heap();
      for (let i = 0; i < n; i++) group.start((signal) => sleeper(i, signal));
      await undefined;
      const bytes = (heap() - before) / n;
      group.abort(new Error("stop"));
      await group.join().catch(() => {});
      return bytes;
    },
    foreign: (n, heap) => {
      const { signal } = new AbortController();
      return kept(n, heap, async () => {
        AbortSignal.any([signal]).throwIfAborted();
        await child();
      });
    },
  },
};

async function carefulNest(depth: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  tally.done++;
  if (depth <= 1) return;
  const group = new Group();
  const onAbort = () => group.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  group.start((inner) => carefulNest(depth - 1, inner));
  try {
    await group.join();
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
