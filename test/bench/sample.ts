import type { BytesJob, JobName, TimedJob, TimedName } from "./contenders/contender.js";
import { load } from "./contenders/load.js";
import { tally } from "./contenders/work.js";
import { isRight } from "./is-right.js";
import type { Message, Order } from "./order.js";
import { isBytes, rows } from "./rows.js";
import { roundsFor, timesFor } from "./statistics.js";

// A process that measures one job, done by some contenders in turns: no row warms up or slows down another. V8 adapts code to what has run:
// where all jobs share a process, the order of the rows decides. Argument: an Order as JSON. Needs --expose-gc.

/** In µs of CPU. */
const SAMPLE = 20_000;
const WARM_UP = 120_000;
const LEAST_WARM_UPS = 3;
/** Who takes so long at once is not warmed up further. */
const SLOW = 500_000;

const order = JSON.parse(process.argv[2] as string) as Order;
let current = 0;

// What fails where nobody can catch it, as a stack overflow in a callback does, is that contender's failure too.
process.on("uncaughtException", (error) => {
  say({ type: "failed", entry: current, why: why(error) });
  process.exit(0);
});

if (order.isMixed) await useAllOf();
const { job } = order;
if (isBytes(job)) await weigh();
else await time(job);
process.exit(0);

interface Entry {
  readonly index: number;
  readonly size: number;
  readonly run: TimedJob;
  times: number;
  cost: number;
}

async function time(name: TimedName): Promise<void> {
  const entries: Entry[] = [];
  for (const [index, { name: contender, size }] of order.entries.entries()) {
    current = index;
    try {
      const run = (await load(contender)).timed[name];
      if (run === undefined) throw new Error("is not written");
      const cost = await check(name, run, size);
      entries.push({ index, size, run, times: 1, cost });
      say({ type: "probed", entry: index });
    } catch (error) {
      say({ type: "failed", entry: index, why: why(error) });
    }
  }
  for (const entry of entries) {
    current = entry.index;
    await warmUp(entry);
  }
  const rounds = roundsFor(
    entries.reduce((sum, { cost, times }) => sum + cost * times, 0),
    1000 * order.time,
    order.pairs,
  );
  const samples: number[][] = order.entries.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < entries.length; k++) {
      // Each comes after each of the others: whose garbage is collected in whose time evens out.
      const entry = entries[(k + round) % entries.length] as Entry;
      current = entry.index;
      samples[entry.index]?.push((1000 * (await cpu(entry.run, entry.size, entry.times))) / entry.size);
    }
  }
  say({ type: "samples", samples });
}

/** Does it once; resolves to what that took. */
async function check(name: TimedName, run: TimedJob, size: number): Promise<number> {
  tally.done = 0;
  const before = process.cpuUsage();
  const result = await run(size);
  const { user, system } = process.cpuUsage(before);
  // What settled last may still have to say so.
  await new Promise((resolve) => setImmediate(resolve));
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  if (!isRight(name, size, result, tally.done, timers)) throw new Error(`wrong: ${tally.done} done of ${size}, ${timers} timers left`);
  return user + system;
}

async function warmUp(entry: Entry): Promise<void> {
  if (entry.cost >= SLOW) return;
  let spent = 0;
  for (let runs = 0; spent < WARM_UP || runs < LEAST_WARM_UPS; runs++) {
    entry.cost = await cpu(entry.run, entry.size, 1);
    spent += entry.cost;
  }
  // One run of a short job says little.
  if (entry.cost < SAMPLE / 10) entry.cost = await cpu(entry.run, entry.size, timesFor(entry.cost, SAMPLE / 3, 1));
  entry.times = timesFor(entry.cost, SAMPLE, entry.cost < SLOW / 2 ? 3 : 1);
}

/** µs of CPU for each run. */
async function cpu(run: TimedJob, size: number, times: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) await run(size);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

async function weigh(): Promise<void> {
  const samples: number[][] = order.entries.map(() => []);
  for (const [index, { name, size }] of order.entries.entries()) {
    current = index;
    try {
      const run = (await load(name)).bytes?.[order.job as keyof NonNullable<Awaited<ReturnType<typeof load>>["bytes"]>] as BytesJob;
      await run(size, heap);
      say({ type: "probed", entry: index });
      for (let i = 0; i < 3; i++) samples[index]?.push(await run(size, heap));
    } catch (error) {
      say({ type: "failed", entry: index, why: why(error) });
    }
  }
  say({ type: "samples", samples });
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Small sizes, often enough that the optimizing compiler has seen them. */
async function useAllOf(): Promise<void> {
  const contender = await load("creche");
  const jobs = new Set<JobName>(rows.map(({ job }) => job));
  for (const name of jobs) {
    const run = isBytes(name) ? undefined : contender.timed[name];
    if (run === undefined) continue;
    for (let spent = 0; spent < SAMPLE; ) spent += await cpu(run, 100, 1);
  }
}

function why(error: unknown): string {
  if (error instanceof RangeError && error.message.includes("call stack")) return "stack overflow";
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0]?.slice(0, 120) ?? "";
}

function say(message: Message): void {
  console.log(JSON.stringify(message));
}
