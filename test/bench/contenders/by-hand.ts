import type { BytesJob, Contender } from "./contender.js";
import { PromiseRing } from "./promise-ring.js";
import { child, crowd, FIRST, inside, items, LIMIT, LONG, often, step, TEN, THREE, tally } from "./work.js";

/** The floor: bare promises, one AbortController that all share, nobody waits for those who are cancelled. */
export const floor: Contender = {
  timed: {
    spawn: async (n) => {
      const children: Promise<void>[] = [];
      for (let i = 0; i < n; i++) children.push(child());
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
      await workers(n, async (i) => {
        results[i] = await step(items(n)[i] as number);
      });
      return results;
    },
    forEach: (n) => workers(n, child),
    channel16: (n) => throughRing(n, new PromiseRing()),
    channel0: (n) => throughRing(n, new PromiseRing()),
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

/** What is written by hand to get about what a nursery guarantees: a controller for each child, the first failure aborts the others, all are awaited. */
export const careful: Contender = {
  timed: {
    spawn: async (n) => {
      const group = new Group();
      for (let i = 0; i < n; i++) group.start(child);
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
    channel16: (n) => throughRing(n, new PromiseRing(new AbortController().signal)),
    channel0: (n) => throughRing(n, new PromiseRing(new AbortController().signal)),
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

/** Children with a controller each. They are in a set, not listeners of one signal: those are searched from the first to the last by each addEventListener. */
class Group {
  readonly #children = new Map<Promise<void>, AbortController>();
  #failure: { readonly error: unknown } | undefined;

  start(fn: (signal: AbortSignal) => Promise<unknown>): void {
    const controller = new AbortController();
    const running = this.#guard(fn, controller.signal);
    this.#children.set(running, controller);
    void running.then(() => this.#children.delete(running));
  }

  abort(error: unknown): void {
    this.#failure ??= { error };
    for (const controller of this.#children.values()) controller.abort(error);
  }

  async join(): Promise<void> {
    while (this.#children.size > 0) await Promise.all(this.#children.keys());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #guard(fn: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    try {
      await fn(signal);
    } catch (error) {
      if (this.#failure === undefined) this.abort(error);
    }
  }
}

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

/** The hand-written cancellable sleep: a timer, and a listener on the signal. */
function floorSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

async function sleeper(i: number, signal: AbortSignal): Promise<void> {
  tally.done++;
  await floorSleep(LONG + i, signal);
}

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

const kept: (...args: [...Parameters<BytesJob>, () => Promise<void>]) => Promise<number> = async (n, heap, one) => {
  for (let i = 0; i < FIRST; i++) await one();
  const before = heap();
  for (let i = 0; i < n; i++) await one();
  return (heap() - before) / n;
};

async function nested(depth: number): Promise<void> {
  tally.done++;
  if (depth > 1) await Promise.all([nested(depth - 1)]);
}

/** Ten loops that take the next item each. */
async function workers(n: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < n) await work(next++);
  };
  await Promise.all(Array.from({ length: LIMIT }, loop));
}

async function throughRing(n: number, ring: PromiseRing<number>): Promise<number> {
  const produce = async () => {
    for (let i = 0; i < n; i++) await ring.send(i);
  };
  const consume = async () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += await ring.receive();
    return sum;
  };
  const [sum] = await Promise.all([consume(), produce()]);
  return sum;
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
