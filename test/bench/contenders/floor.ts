import type { Contender } from "./contender.js";
import { kept } from "./kept.js";
import { PromiseRing, throughQueue } from "./promise-ring.js";
import { Rendezvous } from "./rendezvous.js";
import { sleeper } from "./sleeper.js";
import { child, childOf, crowd, inside, items, LIMIT, LONG, often, step, TEN, THREE, tally } from "./work.js";

/** The floor: bare promises, one AbortController that all share, nobody waits for those who are cancelled. */
export const floor: Contender = {
  timed: {
    spawn: async (n) => {
      const children: Promise<number>[] = [];
      for (let i = 0; i < n; i++) children.push(childOf(i)());
      await Promise.all(children);
    },
    cancel: async (n) => {
      const controller = new AbortController();
      const children = sleepers(n, () => controller.signal);
      await undefined;
      controller.abort(new Error("stop"));
      await Promise.allSettled(children);
    },
    nested,
    map: async (n) => {
      const results: number[] = new Array(n);
      const list = items(n);
      let next = 0;
      const loop = async () => {
        while (next < n) {
          const i = next++;
          results[i] = await step(list[i] as number);
        }
      };
      await Promise.all(Array.from({ length: LIMIT }, loop));
      return results;
    },
    forEach: (n) => workers(n, child),
    channel16: (n) => throughQueue(n, new PromiseRing()),
    channel0: (n) => throughQueue(n, new Rendezvous()),
    lock: waits,
    lockCrowd: mutexCrowd,
    semaphoreCrowd: mutexCrowd,
    timeout: async (n) => {
      for (let i = 0; i < n; i++) await withTimeout(LONG, child);
    },
    checkpoint: waits,
    all: (n) => often(n, () => Promise.all(TEN.map((fn) => fn()))),
    race: (n) =>
      often(n, async () => {
        const controller = new AbortController();
        try {
          return await Promise.race(THREE.map((fn) => fn()));
        } finally {
          controller.abort();
        }
      }),
  },
  bytes: {
    idle: async (n, heap) => {
      const controller = new AbortController();
      return bytesOfSleepers(
        n,
        heap,
        () => controller.signal,
        () => controller.abort(new Error("stop")),
      );
    },
    settled: (n, heap) => kept(n, heap, child),
    foreign: (n, heap) => {
      const { signal } = new AbortController();
      return kept(n, heap, async () => {
        const onAbort = () => {};
        signal.addEventListener("abort", onAbort);
        await child();
        signal.removeEventListener("abort", onAbort);
      });
    },
  },
};

function sleepers(n: number, signalOf: () => AbortSignal): Promise<void>[] {
  const children: Promise<void>[] = [];
  for (let i = 0; i < n; i++) children.push(sleeper(i, signalOf()));
  return children;
}

async function bytesOfSleepers(n: number, heap: () => number, signalOf: () => AbortSignal, stop: () => void): Promise<number> {
  const before = heap();
  const children = sleepers(n, signalOf);
  const bytes = (heap() - before) / n;
  stop();
  await Promise.allSettled(children);
  return bytes;
}

async function nested(depth: number): Promise<void> {
  tally.done++;
  if (depth > 1) await Promise.all([(async () => nested(depth - 1))()]);
}

/** Ten loops that take the next item each. */
async function workers(n: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < n) await work(next++);
  };
  await Promise.all(Array.from({ length: LIMIT }, loop));
}

/** The least a suspension costs. */
async function waits(n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    await undefined;
    tally.done++;
  }
}

/** A mutex as it is written by hand: each waits for the promise of the one before. */
async function mutexCrowd(n: number): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  await crowd(n, async () => {
    const before = last;
    let release: () => void = () => {};
    last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    await inside();
    release();
  });
}

async function withTimeout(ms: number, job: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error("too late");
      controller.abort(error);
      reject(error);
    }, ms);
  });
  try {
    await Promise.race([job(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
