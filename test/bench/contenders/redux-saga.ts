import { peer } from "../peer.js";
import type { Contender } from "./contender.js";
import { FIRST, items, LIMIT, LONG, step, TEN, THREE, tally } from "./work.js";

/** What sagas yield is not typed, and neither is what they are given for it. */
type Saga<A = void> = Generator<unknown, A, never>;
interface Run {
  toPromise(): Promise<unknown>;
  cancel(): void;
}
interface Core {
  runSaga<A extends unknown[]>(options: object, saga: (...args: A) => Saga<unknown>, ...args: A): Run;
  channel<T>(buffer: unknown): { put(item: T): void };
  readonly buffers: { expanding(size: number): unknown };
}
interface Effects {
  fork<A extends unknown[]>(saga: (...args: A) => Saga<unknown>, ...args: A): unknown;
  call(fn: () => unknown): unknown;
  take(channel: object): unknown;
  delay(ms: number): unknown;
  race(effects: object): unknown;
  all(effects: readonly unknown[]): unknown;
  join(task: unknown): unknown;
}

export async function reduxSaga(): Promise<Contender> {
  const { runSaga, channel, buffers } = await peer<Core>("@redux-saga/core");
  const { fork, call, take, delay, race, all, join } = await peer<Effects>("@redux-saga/core/effects");
  const run = <A extends unknown[]>(saga: (...args: A) => Saga<unknown>, ...args: A) => runSaga({}, saga, ...args).toPromise();
  function* child(): Saga {
    yield Promise.resolve();
    tally.done++;
  }
  function* numbered(i: number): Saga<number> {
    yield Promise.resolve();
    tally.done++;
    return i;
  }
  function* sleeper(i: number): Saga {
    tally.done++;
    yield delay(LONG + i);
  }
  function* startSleepers(n: number): Saga {
    for (let i = 0; i < n; i++) yield fork(sleeper, i);
  }
  function* nest(depth: number): Saga {
    tally.done++;
    if (depth > 1) yield fork(nest, depth - 1);
  }
  function* workers(n: number, work: (i: number) => Saga): Saga {
    let next = 0;
    const loop = function* (): Saga {
      while (next < n) yield* work(next++);
    };
    for (let k = 0; k < LIMIT; k++) yield fork(loop);
  }
  function* often(n: number, effect: () => unknown): Saga {
    for (let i = 0; i < n; i++) {
      yield effect();
      tally.done++;
    }
  }
  return {
    timed: {
      spawn: (n) =>
        run(function* () {
          for (let i = 0; i < n; i++) yield fork(numbered, i);
        }),
      cancel: async (n) => {
        const task = runSaga({}, startSleepers, n);
        await undefined;
        task.cancel();
        await task.toPromise();
      },
      nested: (n) => run(nest, n),
      map: async (n) => {
        const results: number[] = new Array(n);
        await run(workers, n, function* (i: number): Saga {
          results[i] = yield step(items(n)[i] as number);
        });
        return results;
      },
      forEach: (n) => run(workers, n, child),
      channel16: (n) =>
        run(function* (): Saga<number> {
          const queue = channel<number>(buffers.expanding(16));
          yield fork(function* (): Saga {
            for (let i = 0; i < n; i++) {
              queue.put(i);
              if (i % 16 === 15) yield Promise.resolve();
            }
          });
          let sum = 0;
          for (let i = 0; i < n; i++) sum += (yield take(queue)) as number;
          return sum;
        }),
      timeout: (n) =>
        run(function* () {
          for (let i = 0; i < n; i++) yield race({ done: call(child), late: delay(LONG) });
        }),
      all: (n) => run(often, n, () => all(TEN.map((fn) => call(fn)))),
      race: (n) => run(often, n, () => race(THREE.map((fn) => call(fn)))),
    },
    bytes: {
      idle: async (n, heap) => {
        const before = heap();
        const task = runSaga({}, startSleepers, n);
        await undefined;
        const bytes = (heap() - before) / n;
        task.cancel();
        await task.toPromise();
        return bytes;
      },
      settled: (n, heap) =>
        run(function* (): Saga<number> {
          for (let i = 0; i < FIRST; i++) yield join(yield fork(child));
          const before = heap();
          for (let i = 0; i < n; i++) yield join(yield fork(child));
          return (heap() - before) / n;
        }) as Promise<number>,
    },
  };
}
