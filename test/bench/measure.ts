import { idleBytes, type Row, rows } from "./rows.js";

// One row in a process of its own, so that no row warms up or slows down another: the first use of AsyncLocalStorage makes every await
// of a Node 20 process slower. Prints its result as one line of JSON.

const WARM_UP = 5;
const PAIRS = 11;

export interface Result {
  readonly row: string;
  readonly goal: number;
  /** Medians, microseconds of CPU a job (bytes for memory), and the median of the ratios of the pairs. */
  readonly floor: number;
  readonly careful?: number | undefined;
  readonly creche: number;
  readonly ratio: number;
  readonly unit: "µs" | "bytes";
}

async function measure({ name, goal, floor, careful, creche, times }: Row): Promise<Result> {
  const floors: number[] = [];
  const carefuls: number[] = [];
  const creches: number[] = [];
  for (let i = -WARM_UP; i < PAIRS; i++) {
    const a = await cpu(floor, times);
    const b = await cpu(creche, times);
    const c = careful === undefined ? 0 : await cpu(careful, times);
    if (i < 0) continue;
    floors.push(a);
    creches.push(b);
    carefuls.push(c);
  }
  const ratio = median(floors.map((value, i) => (creches[i] as number) / value));
  const middle = careful === undefined ? undefined : median(carefuls);
  return { row: name, goal, floor: median(floors), careful: middle, creche: median(creches), ratio, unit: "µs" };
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
  console.log(JSON.stringify({ row: "idle sleeping child", goal: 1000, floor, creche, ratio: creche, unit: "bytes" } satisfies Result));
}
