import { type Nursery, openNursery, run, sleep, type Task } from "../../src/index.js";
import { floorSleep } from "./floor-sleep.js";
import type { Row } from "./row.js";

export const nurseryRows: readonly Row[] = [
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
