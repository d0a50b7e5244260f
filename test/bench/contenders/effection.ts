import { peer } from "../peer.js";
import type { Contender } from "./contender.js";
import { FIRST, items, LIMIT, LONG, step, TEN, THREE, tally } from "./work.js";

interface Operation<out A> {
  [Symbol.iterator](): Iterator<unknown, A, unknown>;
}
type Gen<A> = Generator<unknown, A, unknown>;
interface Library {
  run<A>(body: () => Gen<A>): Promise<A>;
  spawn<A>(body: () => Operation<A>): Operation<Operation<A>>;
  sleep(ms: number): Operation<void>;
  until<A>(promise: Promise<A>): Operation<A>;
  all(operations: readonly Operation<unknown>[]): Operation<unknown[]>;
  race<A>(operations: readonly Operation<A>[]): Operation<A>;
  createQueue<T, C>(): { add(item: T): void; next(): Operation<IteratorResult<T, C>> };
}

export async function effection(): Promise<Contender> {
  const { run, spawn, sleep, until, all, race, createQueue } = await peer<Library>("effection");
  function* child(): Gen<void> {
    yield* until(Promise.resolve());
    tally.done++;
  }
  function* startSleepers(n: number): Gen<void> {
    for (let i = 0; i < n; i++) {
      yield* spawn(function* () {
        tally.done++;
        yield* sleep(LONG + i);
      });
    }
    yield* until(Promise.resolve());
  }
  function* nest(depth: number): Gen<void> {
    tally.done++;
    if (depth > 1) yield* yield* spawn(() => nest(depth - 1));
  }
  function* workers(n: number, work: (i: number) => Gen<void>): Gen<void> {
    let next = 0;
    const loop = function* () {
      while (next < n) yield* work(next++);
    };
    yield* all(Array.from({ length: LIMIT }, loop));
  }
  const often = (n: number, job: () => Operation<unknown>) =>
    run(function* () {
      for (let i = 0; i < n; i++) {
        yield* job();
        tally.done++;
      }
    });
  return {
    timed: {
      spawn: (n) =>
        run(function* () {
          const tasks: Operation<number>[] = [];
          for (let i = 0; i < n; i++) {
            tasks.push(
              yield* spawn(function* () {
                yield* until(Promise.resolve());
                tally.done++;
                return i;
              }),
            );
          }
          for (const task of tasks) yield* task;
        }),
      // Children are halted when the body returns.
      cancel: (n) => run(() => startSleepers(n)),
      nested: (n) => run(() => nest(n)),
      map: (n) =>
        run(function* () {
          const results: number[] = new Array(n);
          yield* workers(n, function* (i) {
            results[i] = yield* until(step(items(n)[i] as number));
          });
          return results;
        }),
      forEach: (n) => run(() => workers(n, child)),
      channel16: (n) =>
        run(function* () {
          const queue = createQueue<number, never>();
          yield* spawn(function* () {
            for (let i = 0; i < n; i++) {
              queue.add(i);
              if (i % 16 === 15) yield* until(Promise.resolve());
            }
          });
          let sum = 0;
          for (let i = 0; i < n; i++) sum += (yield* queue.next()).value;
          return sum;
        }),
      timeout: (n) =>
        run(function* () {
          for (let i = 0; i < n; i++) yield* race([child(), sleep(LONG)]);
        }),
      all: (n) => often(n, () => all(TEN.map((fn) => until(fn())))),
      race: (n) => often(n, () => race(THREE.map((fn) => until(fn())))),
    },
    bytes: {
      idle: (n, heap) =>
        run(function* () {
          const before = heap();
          yield* startSleepers(n);
          return (heap() - before) / n;
        }),
      settled: (n, heap) =>
        run(function* () {
          for (let i = 0; i < FIRST; i++) yield* yield* spawn(child);
          const before = heap();
          for (let i = 0; i < n; i++) yield* yield* spawn(child);
          return (heap() - before) / n;
        }),
    },
  };
}
