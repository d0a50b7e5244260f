import {
  all,
  type Cancellable,
  checkpoint,
  forEach,
  Lock,
  map,
  moveOnAfter,
  type Nursery,
  openMemoryChannel,
  openNursery,
  race,
  run,
  Semaphore,
  sleep,
} from "../../../src/index.js";
import type { BytesJob, Contender, TimedJob } from "./contender.js";
import { CROWD, child, childOf, FIRST, items, LIMIT, LONG, step, TEN, THREE, tally } from "./work.js";

/** creche: each call is told its scope, or with `ambient` finds it by itself. */
export function creche(ambient: boolean): Contender {
  const inRun = <T>(body: (root: Nursery, scope: Cancellable | undefined) => Promise<T>) =>
    run((root) => body(root, ambient ? undefined : root), { ambient });
  const told = (scope: Cancellable) => (ambient ? undefined : scope);

  const spawn: TimedJob = (n) =>
    run(
      (nursery) => {
        for (let i = 0; i < n; i++) nursery.startSoon(childOf(i));
      },
      { ambient },
    );

  const startSleepers = (nursery: Nursery, n: number) => {
    for (let i = 0; i < n; i++) {
      nursery.startSoon(async (task) => {
        tally.done++;
        await sleep(LONG + i, ambient ? undefined : task);
      });
    }
  };
  const cancel: TimedJob = (n) =>
    inRun(async (nursery) => {
      startSleepers(nursery, n);
      await undefined;
      await undefined;
      nursery.cancel();
    });

  const nest = async (depth: number, scope: Cancellable | undefined): Promise<void> => {
    tally.done++;
    if (depth > 1) await openNursery((nursery) => void nursery.startSoon((task) => nest(depth - 1, told(task))), scope ?? {});
  };

  const channel =
    (capacity: number): TimedJob =>
    (n) =>
      inRun(async (nursery, scope) => {
        const [send, receive] = openMemoryChannel<number>(capacity);
        nursery.startSoon(async (task) => {
          const sender = told(task);
          for (let i = 0; i < n; i++) await send.send(i, sender);
        });
        let sum = 0;
        for (let i = 0; i < n; i++) sum += await receive.receive(scope);
        return sum;
      });

  const crowd =
    (makeTurn: () => (scope: Cancellable | undefined) => Promise<void>): TimedJob =>
    (n) =>
      inRun(async (nursery) => {
        const turn = makeTurn();
        for (let i = 0; i < CROWD; i++) {
          nursery.startSoon(async (task) => {
            const scope = told(task);
            for (let k = 0; k < n / CROWD; k++) await turn(scope);
          });
        }
      });

  const timed: Contender["timed"] = {
    spawn,
    cancel,
    nested: (n) => inRun((_, scope) => nest(n, scope)),
    map: (n) => inRun((_, scope) => map(items(n), step, { concurrency: LIMIT }, scope)),
    forEach: (n) =>
      inRun((_, scope) =>
        forEach(
          items(n),
          async () => {
            await undefined;
            tally.done++;
          },
          { concurrency: LIMIT },
          scope,
        ),
      ),
    channel16: channel(16),
    channel0: channel(0),
    lock: (n) =>
      inRun(async (_, scope) => {
        const lock = new Lock();
        for (let i = 0; i < n; i++) {
          await lock.acquire(scope);
          tally.done++;
          lock.release(scope);
        }
      }),
    lockCrowd: crowd(() => {
      const lock = new Lock();
      return async (scope) => {
        await lock.acquire(scope);
        await undefined;
        tally.done++;
        lock.release(scope);
      };
    }),
    semaphoreCrowd: crowd(() => {
      const semaphore = new Semaphore(1);
      return async (scope) => {
        await semaphore.acquire(scope);
        await undefined;
        tally.done++;
        semaphore.release();
      };
    }),
    timeout: (n) =>
      inRun(async (_, scope) => {
        for (let i = 0; i < n; i++) await moveOnAfter(LONG, child, scope);
      }),
    checkpoint: (n) =>
      inRun(async (_, scope) => {
        for (let i = 0; i < n; i++) {
          await checkpoint(scope);
          tally.done++;
        }
      }),
    all: (n) =>
      inRun(async (_, scope) => {
        for (let i = 0; i < n; i++) tally.done += (await all(TEN, scope)).length / TEN.length;
      }),
    race: (n) =>
      inRun(async (_, scope) => {
        for (let i = 0; i < n; i++) if ((await race(THREE, scope)) === 0) tally.done++;
      }),
  };

  const idle: BytesJob = (n, heap) =>
    inRun(async (nursery) => {
      const before = heap();
      startSleepers(nursery, n);
      await undefined;
      await undefined;
      const bytes = (heap() - before) / n;
      nursery.cancel();
      return bytes;
    });
  const settled: BytesJob = (n, heap) =>
    inRun(async (nursery) => {
      const one = async () => {
        nursery.startSoon(child);
        await undefined;
        await undefined;
        await undefined;
      };
      for (let i = 0; i < FIRST; i++) await one();
      const before = heap();
      for (let i = 0; i < n; i++) await one();
      return (heap() - before) / n;
    });
  const foreign: BytesJob = (n, heap) =>
    inRun(async () => {
      const { signal } = new AbortController();
      const one = () => moveOnAfter(LONG, child, { signal });
      for (let i = 0; i < FIRST; i++) await one();
      const before = heap();
      for (let i = 0; i < n; i++) await one();
      return (heap() - before) / n;
    });
  return { timed, bytes: { idle, settled, foreign } };
}
