import { all, forEach, map, type Nursery, race, run } from "../../src/index.js";
import { peer } from "./peer.js";
import type { Row } from "./row.js";

const ITEMS: readonly number[] = Array.from({ length: 1e5 }, (_, i) => i);
const LIMIT = 10;
const TIMES = 1e4;

type MapperOf = (items: readonly number[], fn: (item: number) => Promise<number>, options: { concurrency: number }) => Promise<number[]>;

export async function combinatorRows(): Promise<readonly Row[]> {
  const { default: pMap } = await peer<{ readonly default: MapperOf }>("p-map");
  const { default: async } = await peer<{ readonly default: { mapLimit: (...args: unknown[]) => Promise<unknown> } }>("async");
  const peers = {
    "p-map": () => pMap(ITEMS, step, { concurrency: LIMIT }),
    "async.mapLimit": () => async.mapLimit(ITEMS, LIMIT, step),
  };
  const mapFloor = { floor: () => workers(), careful: () => workers(new AbortController()), times: 2 };
  return [
    {
      name: "map 1e5, at most 10",
      goal: 0.9,
      creche: () => inRun(false, (scope) => map(ITEMS, step, { concurrency: LIMIT }, scope)),
      ...mapFloor,
      peers,
    },
    {
      name: "map 1e5, at most 10, ambient",
      goal: 2,
      creche: () => inRun(true, () => map(ITEMS, step, { concurrency: LIMIT })),
      ...mapFloor,
    },
    {
      name: "forEach 1e5, at most 10",
      goal: 0.9,
      creche: () => inRun(false, (scope) => forEach(ITEMS, step, { concurrency: LIMIT }, scope)),
      ...mapFloor,
    },
    {
      name: "all of 10",
      goal: 2,
      floor: () => often(() => Promise.all(TEN.map((fn) => fn()))),
      creche: () => inRun(false, (scope) => often(() => all(TEN, scope))),
      times: 1,
    },
    {
      name: "race of 3",
      goal: 3,
      floor: () => often(floorRace),
      creche: () => inRun(false, (scope) => often(() => race(THREE, scope))),
      times: 1,
    },
  ];
}

/** What is done with an item, in every one of them: it waits once. */
async function step(item: number): Promise<number> {
  await undefined;
  return item;
}

const TEN = Array.from({ length: 10 }, (_, i) => () => step(i));

/** The first takes one wait, the others two. */
const THREE = [0, 1, 2].map((i) => async () => {
  await undefined;
  if (i > 0) await undefined;
  return i;
});

/** Ten loops that take the next item each. With a controller, the first failure stops all of them. */
async function workers(controller?: AbortController): Promise<number[]> {
  const results: number[] = new Array(ITEMS.length);
  let next = 0;
  const work = async () => {
    while (next < ITEMS.length) {
      controller?.signal.throwIfAborted();
      const i = next++;
      results[i] = await step(ITEMS[i] as number);
    }
  };
  const careful = async () => {
    try {
      await work();
    } catch (error) {
      controller?.abort(error);
      throw error;
    }
  };
  const loops = Array.from({ length: LIMIT }, controller === undefined ? work : careful);
  if (controller === undefined) await Promise.all(loops);
  else await Promise.allSettled(loops);
  controller?.signal.throwIfAborted();
  return results;
}

/** The losers are told, not awaited. */
async function floorRace(): Promise<number> {
  const controller = new AbortController();
  try {
    return await Promise.race(THREE.map((fn) => fn()));
  } finally {
    controller.abort();
  }
}

async function often(job: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < TIMES; i++) await job();
}

function inRun<T>(ambient: boolean, body: (scope: Nursery) => Promise<T>): Promise<T> {
  return run(body, { ambient });
}
