import { peer } from "../peer.js";
import type { Contender } from "./contender.js";
import { CROWD, FIRST, items, LIMIT, LONG, TEN, THREE, tally } from "./work.js";

interface Eff<out A> {
  [Symbol.iterator](): Iterator<unknown, A, unknown>;
}
type Gen<A> = Generator<unknown, A, unknown>;
interface Fiber {
  readonly id: number;
}
interface Limited {
  readonly concurrency: number | "unbounded";
  readonly discard?: boolean;
}
interface Library {
  readonly Effect: {
    gen<A>(body: () => Gen<A>): Eff<A>;
    forkChild(effect: Eff<unknown>): Eff<Fiber>;
    forkScoped(effect: Eff<unknown>): Eff<Fiber>;
    scoped<A>(effect: Eff<A>): Eff<A>;
    sleep(ms: number): Eff<void>;
    readonly yieldNow: Eff<void>;
    sync<A>(fn: () => A): Eff<A>;
    promise<A>(fn: () => Promise<A>): Eff<A>;
    forEach<T, A>(items: Iterable<T>, fn: (item: T) => Eff<A>, options: Limited): Eff<A[]>;
    all<A>(effects: readonly Eff<A>[], options: Limited): Eff<A[]>;
    raceAllFirst<A>(effects: readonly Eff<A>[]): Eff<A>;
    timeoutOption<A>(effect: Eff<A>, ms: number): Eff<unknown>;
    runPromise<A>(effect: Eff<A>, options?: { readonly signal: AbortSignal }): Promise<A>;
  };
  readonly Fiber: {
    joinAll(fibers: readonly Fiber[]): Eff<unknown>;
    join(fiber: Fiber): Eff<unknown>;
    interruptAll(fibers: readonly Fiber[]): Eff<void>;
  };
  readonly Queue: {
    bounded<T>(capacity: number): Eff<{ readonly item: T }>;
    offer<T>(queue: { readonly item: T }, item: T): Eff<boolean>;
    take<T>(queue: { readonly item: T }): Eff<T>;
  };
  readonly Semaphore: {
    makeUnsafe(permits: number): { withPermit<A>(effect: Eff<A>): Eff<A> };
  };
}

export async function effect(): Promise<Contender> {
  const { Effect, Fiber, Queue, Semaphore } = await peer<Library>("effect");
  const child = Effect.gen(function* () {
    yield* Effect.yieldNow;
    tally.done++;
  });
  const childOf = (i: number) =>
    Effect.gen(function* () {
      yield* Effect.yieldNow;
      tally.done++;
      return i;
    });
  const step = (item: number) => Effect.promise(() => Promise.resolve(item));
  const ten = TEN.map((_, i) => step(i));
  const three = THREE.map((fn) => Effect.promise(fn));

  const sleeper = (i: number) =>
    Effect.gen(function* () {
      tally.done++;
      yield* Effect.sleep(LONG + i);
    });
  const forkAll = (n: number, body: (i: number) => Eff<unknown>) =>
    Effect.gen(function* () {
      const fibers: Fiber[] = [];
      for (let i = 0; i < n; i++) fibers.push(yield* Effect.forkChild(body(i)));
      return fibers;
    });
  const nest = (depth: number): Eff<void> =>
    Effect.gen(function* () {
      tally.done++;
      if (depth > 1) yield* Fiber.join(yield* Effect.forkChild(nest(depth - 1)));
    });
  const crowd = (n: number) =>
    Effect.gen(function* () {
      const semaphore = Semaphore.makeUnsafe(1);
      const turn = semaphore.withPermit(child);
      const worker = () =>
        Effect.gen(function* () {
          for (let i = 0; i < n / CROWD; i++) yield* turn;
        });
      yield* Fiber.joinAll(yield* forkAll(CROWD, worker));
    });
  const often = (n: number, job: () => Eff<unknown>) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < n; i++) {
          yield* job();
          tally.done++;
        }
      }),
    );
  return {
    timed: {
      spawn: (n) =>
        Effect.runPromise(
          Effect.gen(function* () {
            yield* Fiber.joinAll(yield* forkAll(n, childOf));
          }),
        ),
      cancel: (n) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const fibers = yield* forkAll(n, sleeper);
            yield* Effect.yieldNow;
            yield* Fiber.interruptAll(fibers);
          }),
        ),
      nested: (n) => Effect.runPromise(nest(n)),
      map: (n) => Effect.runPromise(Effect.forEach(items(n), step, { concurrency: LIMIT })),
      forEach: (n) => Effect.runPromise(Effect.forEach(items(n), () => child, { concurrency: LIMIT, discard: true })),
      channel16: (n) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const queue = yield* Queue.bounded<number>(16);
            yield* Effect.forkChild(
              Effect.gen(function* () {
                for (let i = 0; i < n; i++) yield* Queue.offer(queue, i);
              }),
            );
            let sum = 0;
            for (let i = 0; i < n; i++) sum += yield* Queue.take(queue);
            return sum;
          }),
        ),
      lock: (n) => {
        const held = Semaphore.makeUnsafe(1).withPermit(
          Effect.sync(() => {
            tally.done++;
          }),
        );
        return Effect.runPromise(
          Effect.gen(function* () {
            for (let i = 0; i < n; i++) yield* held;
          }),
        );
      },
      lockCrowd: (n) => Effect.runPromise(crowd(n)),
      semaphoreCrowd: (n) => Effect.runPromise(crowd(n)),
      timeout: (n) =>
        Effect.runPromise(
          Effect.gen(function* () {
            for (let i = 0; i < n; i++) yield* Effect.timeoutOption(child, LONG);
          }),
        ),
      checkpoint: (n) => often(n, () => Effect.yieldNow),
      all: (n) => often(n, () => Effect.all(ten, { concurrency: "unbounded" })),
      race: (n) => often(n, () => Effect.raceAllFirst(three)),
    },
    bytes: {
      idle: (n, heap) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const before = heap();
            const fibers = yield* forkAll(n, sleeper);
            yield* Effect.yieldNow;
            const bytes = (heap() - before) / n;
            yield* Fiber.interruptAll(fibers);
            return bytes;
          }),
        ),
      settled: (n, heap) =>
        Effect.runPromise(
          Effect.scoped(
            Effect.gen(function* () {
              const one = Effect.gen(function* () {
                yield* Fiber.join(yield* Effect.forkScoped(child));
              });
              for (let i = 0; i < FIRST; i++) yield* one;
              const before = heap();
              for (let i = 0; i < n; i++) yield* one;
              return (heap() - before) / n;
            }),
          ),
        ),
      foreign: async (n, heap) => {
        const { signal } = new AbortController();
        const one = () => Effect.runPromise(Effect.timeoutOption(child, LONG), { signal });
        for (let i = 0; i < FIRST; i++) await one();
        const before = heap();
        for (let i = 0; i < n; i++) await one();
        return (heap() - before) / n;
      },
    },
  };
}
