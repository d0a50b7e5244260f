import { peer } from "../peer.js";
import type { BytesJob, Contender } from "./contender.js";
import { kept } from "./kept.js";
import { child, childOf, crowd, inside, items, LIMIT, LONG, often, step, TEN, THREE, tally } from "./work.js";

// Libraries that limit or join promises, and own nothing: a job that has begun goes on whatever happens.

type Mapper = <T, A>(
  items: readonly T[],
  fn: (item: T) => Promise<A>,
  options: { concurrency: number; signal?: AbortSignal },
) => Promise<A[]>;
type Limit = <A>(job: () => Promise<A>) => Promise<A>;
interface Queue {
  add<A>(job: () => Promise<A>, options?: { readonly signal?: AbortSignal; readonly timeout?: number }): Promise<A>;
  onIdle(): Promise<void>;
}
interface Async {
  parallel(jobs: readonly (() => Promise<unknown>)[]): Promise<unknown[]>;
  mapLimit<T, A>(items: readonly T[], limit: number, fn: (item: T) => Promise<A>): Promise<A[]>;
  eachLimit<T>(items: readonly T[], limit: number, fn: (item: T) => Promise<void>): Promise<void>;
  race(jobs: readonly (() => Promise<unknown>)[]): Promise<unknown>;
}

export async function pMap(): Promise<Contender> {
  const { default: pMap } = await peer<{ readonly default: Mapper }>("p-map");
  const foreign: BytesJob = (n, heap) => {
    const { signal } = new AbortController();
    return kept(n, heap, () => pMap([0], child, { concurrency: LIMIT, signal }));
  };
  return {
    timed: {
      spawn: (n) => pMap(items(n), (i) => childOf(i)(), { concurrency: Number.POSITIVE_INFINITY }),
      map: (n) => pMap(items(n), step, { concurrency: LIMIT }),
      forEach: (n) => pMap(items(n), child, { concurrency: LIMIT }),
      all: (n) => often(n, () => pMap(TEN, (fn) => fn(), { concurrency: Number.POSITIVE_INFINITY })),
    },
    bytes: { foreign },
  };
}

export async function pLimit(): Promise<Contender> {
  const { default: pLimit } = await peer<{ readonly default: (limit: number) => Limit }>("p-limit");
  const crowded = (n: number) => {
    const limit = pLimit(1);
    return crowd(n, () => limit(inside));
  };
  const all = (n: number, limit: Limit) => Promise.all(items(n).map((i) => limit(() => step(i))));
  return {
    timed: {
      spawn: (n) => {
        const limit = pLimit(Number.POSITIVE_INFINITY);
        return Promise.all(items(n).map((i) => limit(childOf(i))));
      },
      map: (n) => all(n, pLimit(LIMIT)),
      forEach: (n) => {
        const limit = pLimit(LIMIT);
        return Promise.all(items(n).map(() => limit(child)));
      },
      lock: async (n) => {
        const limit = pLimit(1);
        const job = async () => {
          tally.done++;
        };
        for (let i = 0; i < n; i++) await limit(job);
      },
      lockCrowd: crowded,
      semaphoreCrowd: crowded,
    },
    bytes: {
      settled: (n, heap) => {
        const limit = pLimit(LIMIT);
        return kept(n, heap, () => limit(child));
      },
    },
  };
}

export async function pQueue(): Promise<Contender> {
  const { default: PQueue } = await peer<{ readonly default: new (options: { readonly concurrency: number }) => Queue }>("p-queue");
  const spread = async (n: number, concurrency: number) => {
    const queue = new PQueue({ concurrency });
    for (let i = 0; i < n; i++) void queue.add(child);
    await queue.onIdle();
  };
  const crowded = (n: number) => {
    const queue = new PQueue({ concurrency: 1 });
    return crowd(n, () => queue.add(inside));
  };
  return {
    timed: {
      spawn: async (n) => {
        const queue = new PQueue({ concurrency: Number.POSITIVE_INFINITY });
        for (let i = 0; i < n; i++) void queue.add(childOf(i));
        await queue.onIdle();
      },
      map: (n) => {
        const queue = new PQueue({ concurrency: LIMIT });
        return Promise.all(items(n).map((i) => queue.add(() => step(i))));
      },
      forEach: (n) => spread(n, LIMIT),
      lockCrowd: crowded,
      semaphoreCrowd: crowded,
      timeout: async (n) => {
        const queue = new PQueue({ concurrency: 1 });
        for (let i = 0; i < n; i++) await queue.add(child, { timeout: LONG });
      },
    },
    bytes: {
      settled: (n, heap) => {
        const queue = new PQueue({ concurrency: LIMIT });
        return kept(n, heap, () => queue.add(child));
      },
      foreign: (n, heap) => {
        const { signal } = new AbortController();
        const queue = new PQueue({ concurrency: LIMIT });
        return kept(n, heap, () => queue.add(child, { signal }));
      },
    },
  };
}

export async function asyncLibrary(): Promise<Contender> {
  const { default: async } = await peer<{ readonly default: Async }>("async");
  return {
    timed: {
      spawn: (n) => async.parallel(items(n).map(childOf)),
      map: (n) => async.mapLimit(items(n), LIMIT, step),
      forEach: (n) => async.eachLimit(items(n), LIMIT, child),
      all: (n) => often(n, () => async.parallel(TEN)),
      race: (n) => often(n, () => async.race(THREE)),
    },
  };
}

export async function asyncMutex(): Promise<Contender> {
  interface Mutex {
    acquire(): Promise<() => void>;
  }
  const { Mutex, Semaphore } = await peer<{
    readonly Mutex: new () => Mutex;
    readonly Semaphore: new (permits: number) => { acquire(): Promise<[number, () => void]> };
  }>("async-mutex");
  return {
    timed: {
      lock: async (n) => {
        const mutex = new Mutex();
        for (let i = 0; i < n; i++) {
          const release = await mutex.acquire();
          tally.done++;
          release();
        }
      },
      lockCrowd: (n) => {
        const mutex = new Mutex();
        return crowd(n, async () => {
          const release = await mutex.acquire();
          await inside();
          release();
        });
      },
      semaphoreCrowd: (n) => {
        const semaphore = new Semaphore(1);
        return crowd(n, async () => {
          const [, release] = await semaphore.acquire();
          await inside();
          release();
        });
      },
    },
  };
}
