import { Lock, run, Semaphore } from "../../src/index.js";
import { peer } from "./peer.js";
import type { Row } from "./row.js";

const TASKS = 100;
const TURNS = 100;

/** The rows whose peers have to be loaded first. */
export async function lockRows(): Promise<readonly Row[]> {
  const { Mutex } = await peer<{ readonly Mutex: new () => { acquire(): Promise<() => void> } }>("async-mutex");
  const { default: pLimit } = await peer<{ default: (n: number) => <T>(job: () => Promise<T>) => Promise<T> }>("p-limit");
  const mutexes = async () => {
    const mutex = new Mutex();
    await crowd(async () => {
      const release = await mutex.acquire();
      await undefined;
      release();
    });
  };
  const limited = async () => {
    const limit = pLimit(1);
    await crowd(() =>
      limit(async () => {
        await undefined;
      }),
    );
  };
  return [
    { name: "lock, uncontended, 1e5", goal: 2, floor: floorAwaits, creche: uncontended, times: 2 },
    {
      name: "lock, 100 tasks",
      goal: 1,
      against: "fastest peer",
      floor: floorCrowd,
      creche: contended,
      peers: { "async-mutex": mutexes, "p-limit": limited },
      times: 5,
    },
    {
      name: "semaphore of 1, 100 tasks",
      goal: 1,
      against: "fastest peer",
      floor: floorCrowd,
      creche: permits,
      peers: { "async-mutex": mutexes, "p-limit": limited },
      times: 5,
    },
  ];
}

/** One `await` for each time the lock is taken. */
async function floorAwaits(): Promise<void> {
  for (let i = 0; i < 1e5; i++) await undefined;
}

function uncontended(): Promise<void> {
  return run(
    async (scope) => {
      const lock = new Lock();
      for (let i = 0; i < 1e5; i++) {
        await lock.acquire(scope);
        lock.release(scope);
      }
    },
    { ambient: false },
  );
}

/** A hundred workers that want the same thing, again and again. */
async function crowd(turn: () => Promise<void>): Promise<void> {
  const worker = async () => {
    for (let i = 0; i < TURNS; i++) await turn();
  };
  await Promise.all(Array.from({ length: TASKS }, worker));
}

/** A mutex as it is written by hand: each waits for the promise of the one before. */
async function floorCrowd(): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  await crowd(async () => {
    const before = last;
    let release: () => void = () => {};
    last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    await undefined;
    release();
  });
}

function contended(): Promise<void> {
  return run(
    (nursery) => {
      const lock = new Lock();
      for (let i = 0; i < TASKS; i++) {
        nursery.startSoon(async (task) => {
          for (let turn = 0; turn < TURNS; turn++) {
            await lock.acquire(task);
            await undefined;
            lock.release(task);
          }
        });
      }
    },
    { ambient: false },
  );
}

function permits(): Promise<void> {
  return run(
    (nursery) => {
      const semaphore = new Semaphore(1);
      for (let i = 0; i < TASKS; i++) {
        nursery.startSoon(async (task) => {
          for (let turn = 0; turn < TURNS; turn++) {
            await semaphore.acquire(task);
            await undefined;
            semaphore.release();
          }
        });
      }
    },
    { ambient: false },
  );
}
