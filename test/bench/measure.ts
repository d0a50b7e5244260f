import { idleBytes } from "./idle-bytes.js";
import type { Row } from "./row.js";
import { rows } from "./rows.js";

// One row in a process of its own, so that no row warms up or slows down another: the first use of AsyncLocalStorage makes every await
// of a Node 20 process slower. Prints its result as one line of JSON.

const WARM_UP = 5;
const PAIRS = 11;

export interface Result {
  readonly row: string;
  readonly goal: number;
  readonly isReached: boolean;
  readonly unit: "µs" | "bytes";
  /** Medians: microseconds of CPU a job, or bytes. */
  readonly floor: number;
  readonly careful?: number | undefined;
  readonly creche: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Median of the ratios of the pairs: creche to the floor. */
  readonly ratio: number;
  /** The same to the fastest peer, where there are peers. */
  readonly toPeers?: number | undefined;
}

async function measure({ name, goal, against = "floor", floor, careful, creche, peers = {}, times }: Row): Promise<Result> {
  const jobs: Record<string, () => Promise<unknown>> = { floor, creche, ...(careful && { careful }), ...peers };
  const costs: Record<string, number[]> = Object.fromEntries(Object.keys(jobs).map((key) => [key, []]));
  for (let i = -WARM_UP; i < PAIRS; i++) {
    for (const [key, job] of Object.entries(jobs)) {
      const cost = await cpu(job, times);
      if (i >= 0) costs[key]?.push(cost);
    }
  }
  const medians = Object.fromEntries(Object.entries(costs).map(([key, values]) => [key, median(values)]));
  const ratioTo = (key: string) => median((costs["creche"] as number[]).map((cost, i) => cost / (costs[key]?.[i] as number)));
  const names = Object.keys(peers);
  const ratio = ratioTo("floor");
  const toPeers = names.length === 0 ? undefined : Math.max(...names.map(ratioTo));
  return {
    row: name,
    goal,
    isReached: (against === "floor" ? ratio : (toPeers ?? ratio)) <= goal,
    unit: "µs",
    floor: medians["floor"] as number,
    careful: medians["careful"],
    creche: medians["creche"] as number,
    peers: Object.fromEntries(names.map((key) => [key, medians[key] as number])),
    ratio,
    toPeers,
  };
}

async function cpu(job: () => Promise<unknown>, times: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) await job();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

const name = process.argv[2];
const row = rows.find((candidate) => candidate.name === name);
if (row !== undefined) console.log(JSON.stringify(await measure(row)));
else {
  await idleBytes(1e4);
  const { floor, creche } = await idleBytes(1e4);
  const goal = 1000;
  const isReached = creche <= goal;
  const result: Result = { row: "idle sleeping child", goal, isReached, unit: "bytes", floor, creche, peers: {}, ratio: creche / floor };
  console.log(JSON.stringify(result));
}
