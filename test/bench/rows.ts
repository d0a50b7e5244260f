import { type Nursery, openNursery, run, sleep, type Task } from "../../src/index.js";

/** One line of the table: a job done by creche, and the floor: what a careful programmer writes by hand for it, with bare promises. */
export interface Row {
  readonly name: string;
  readonly goal: number;
  readonly floor: () => Promise<unknown>;
  /** The floor with what a nursery guarantees added by hand: the first failure cancels the others, and all are awaited. */
  readonly careful?: () => Promise<unknown>;
  readonly creche: () => Promise<unknown>;
  /** How often the job is done for one measurement, so that a measurement takes milliseconds. */
  readonly times: number;
}

export const rows: readonly Row[] = [
  ...(
    [
      [1e3, 1.8, 2.8],
      [1e4, 1.9, 2.9],
      [1e5, 2.2, 4.8],
    ] as const
  ).flatMap(([n, explicit, ambient]): Row[] => [
    {
      name: `spawn+join ${n}`,
      goal: explicit,
      floor: () => floorSpawn(n),
      careful: () => carefulSpawn(n),
      creche: () => spawn(n, false),
      times: Math.ceil(2e5 / n),
    },
    { name: `spawn+join ${n} ambient`, goal: ambient, floor: () => floorSpawn(n), creche: () => spawn(n, true), times: Math.ceil(2e5 / n) },
  ]),
  { name: "cancel 1e4 sleepers", goal: 0.06, floor: () => floorCancel(1e4), creche: () => cancel(1e4), times: 4 },
  ...[300, 1000].map((depth): Row => {
    return {
      name: `nested nurseries ${depth}`,
      goal: 3,
      floor: () => floorNested(depth),
      creche: () => nested(depth),
      times: Math.ceil(5e4 / depth),
    };
  }),
];

async function floorSpawn(n: number): Promise<void> {
  const children: Promise<number>[] = [];
  for (let i = 0; i < n; i++) {
    const child = async () => {
      await undefined;
      return i;
    };
    children.push(child());
  }
  await Promise.all(children);
}

async function carefulSpawn(n: number): Promise<void> {
  const controller = new AbortController();
  const guarded = async (child: (signal: AbortSignal) => Promise<number>) => {
    try {
      return await child(controller.signal);
    } catch (error) {
      controller.abort(error);
      throw error;
    }
  };
  const children: Promise<number>[] = [];
  for (let i = 0; i < n; i++) {
    children.push(
      guarded(async () => {
        await undefined;
        return i;
      }),
    );
  }
  await Promise.allSettled(children);
  controller.signal.throwIfAborted();
}

function spawn(n: number, ambient: boolean): Promise<void> {
  return run(
    (nursery) => {
      for (let i = 0; i < n; i++) {
        nursery.startSoon(async () => {
          await undefined;
          return i;
        });
      }
    },
    { ambient },
  );
}

/** The hand-written cancellable sleep: a timer, and a listener on the one signal that all share. */
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

async function floorCancel(n: number): Promise<void> {
  const controller = new AbortController();
  const children: Promise<void>[] = [];
  for (let i = 0; i < n; i++) {
    const child = async () => {
      await floorSleep(1e6 + i, controller.signal);
    };
    children.push(child());
  }
  await undefined;
  controller.abort(new Error("stop"));
  await Promise.allSettled(children);
}

function cancel(n: number): Promise<void> {
  return run(
    async (nursery) => {
      for (let i = 0; i < n; i++) {
        nursery.startSoon(async (task) => {
          await sleep(1e6 + i, task);
        });
      }
      await undefined;
      await undefined;
      nursery.cancel();
    },
    { ambient: false },
  );
}

async function floorNested(depth: number): Promise<void> {
  if (depth > 0) await Promise.all([(async () => floorNested(depth - 1))()]);
}

function nested(depth: number): Promise<void> {
  return run((root) => nest(depth, root), { ambient: false });
}

async function nest(depth: number, scope: Nursery | Task): Promise<void> {
  if (depth > 0) await openNursery((nursery) => void nursery.startSoon((task) => nest(depth - 1, task)), scope);
}

/** Heap bytes of one child that sleeps; needs --expose-gc. */
export async function idleBytes(n: number): Promise<{ readonly floor: number; readonly creche: number }> {
  const controller = new AbortController();
  const floorChildren: Promise<void>[] = [];
  const floor = perChild(n, () => {
    for (let i = 0; i < n; i++) {
      const child = async () => {
        await floorSleep(1e6 + i, controller.signal);
      };
      floorChildren.push(child());
    }
  });
  controller.abort(new Error("stop"));
  await Promise.allSettled(floorChildren);
  let creche = 0;
  await run(
    async (nursery) => {
      const before = heap();
      for (let i = 0; i < n; i++) {
        nursery.startSoon(async (task) => {
          await sleep(1e6 + i, task);
        });
      }
      await undefined;
      await undefined;
      creche = (heap() - before) / n;
      nursery.cancel();
    },
    { ambient: false },
  );
  return { floor, creche };
}

function perChild(n: number, make: () => void): number {
  const before = heap();
  make();
  return (heap() - before) / n;
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
