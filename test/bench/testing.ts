import * as fastCheck from "fast-check";
import { checkpoint, Lock, openNursery } from "../../src/index.js";
import { explore, injectCancellation, replay, ScheduleFailure, type SimOptions, type Strategy } from "../../src/testing/index.js";
import { lockOrder, lostUpdate, ordering } from "../testing/planted.js";
import { poolBugs, poolProgram } from "../testing/pool-program.js";

// Prints what creche/testing finds, in how many schedules, and what a schedule costs. In one process; CPU time.

const SEEDS = 200;
const MOST = 3000;

interface Planted {
  readonly name: string;
  readonly body: () => Promise<void>;
  /** The portfolio has to find it within so many schedules. */
  readonly goal: number;
}
const planted: readonly Planted[] = [
  { name: "lost update", body: lostUpdate, goal: 16 },
  { name: "lock order", body: lockOrder, goal: 24 },
  { name: "ordering 12", body: ordering(12), goal: 32 },
  { name: "ordering 24", body: ordering(24), goal: 64 },
];
const strategies: Readonly<Record<string, (seed: number) => Strategy>> = {
  portfolio: (seed) => ({ kind: "portfolio", seed }),
  random: (seed) => ({ kind: "random", seed }),
  pct: (seed) => ({ kind: "pct", seed }),
  pos: (seed) => ({ kind: "pos", seed }),
  urw: (seed) => ({ kind: "urw", seed }),
};
const quick: SimOptions = { timeRaces: false, drain: "sync" };

interface Found {
  readonly schedules: number;
  readonly failure: ScheduleFailure;
}

async function find(body: () => Promise<void>, strategy: Strategy, shrink: boolean): Promise<Found | undefined> {
  try {
    await explore(body, { ...quick, strategy, schedules: MOST, timeMs: 1e6, shrink });
    return undefined;
  } catch (error) {
    if (!(error instanceof ScheduleFailure)) throw error;
    return { schedules: Number(/schedule (\d+)/.exec(error.message)?.[1]), failure: error };
  }
}

function ofSorted(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] as number;
}

console.log(`schedules until a planted bug is found, ${SEEDS} seeds: median (p95, max), missed in ${MOST}`);
for (const { name, body, goal } of planted) {
  for (const [kind, of] of Object.entries(strategies)) {
    // Where chance alone needs a thousand, a few seeds say enough.
    const seeds = kind === "random" && name.startsWith("ordering") ? SEEDS / 10 : SEEDS;
    const found: number[] = [];
    let missed = 0;
    let preemptions = 0;
    let longest = 0;
    let alike = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const result = await find(body, of(seed), true);
      if (result === undefined) {
        missed++;
        continue;
      }
      found.push(result.schedules);
      const { replay: code, kind: what } = result.failure;
      preemptions = Math.max(preemptions, (/:(.*)#/.exec(code)?.[1] ?? "").split(".").filter((part) => part !== "").length);
      longest = Math.max(longest, code.length);
      const again = await replay(code, body, { sites: false }).catch((error: unknown) => error);
      if (again instanceof ScheduleFailure && again.kind === what && again.replay === code) alike++;
    }
    if (found.length === 0) {
      console.log(`${name.padEnd(12)} ${kind.padEnd(10)} missed ${missed} of ${seeds}`);
      continue;
    }
    const most = Math.max(...found);
    const goalText = kind === "portfolio" ? `  goal ${goal}: ${missed === 0 && most <= goal ? "yes" : "NO"}` : "";
    console.log(
      `${name.padEnd(12)} ${kind.padEnd(10)} ${ofSorted(found, 0.5)} (${ofSorted(found, 0.95)}, ${most}), missed ${missed} of ${seeds}; ` +
        `at most ${preemptions} preemptions, ${longest} characters; replayed alike ${alike} of ${found.length}${goalText}`,
    );
  }
}

/** Three tasks that take a lock three times each. */
async function crowd(): Promise<void> {
  const lock = new Lock();
  await openNursery((nursery) => {
    for (const name of ["a", "b", "c"]) {
      nursery.startSoon(
        async (task) => {
          for (let i = 0; i < 3; i++) {
            await lock.acquire(task);
            await checkpoint(task);
            lock.release(task);
          }
        },
        { name },
      );
    }
  });
}

/** The same with fast-check's scheduler, whose primitives are to be made by hand. */
async function crowdOfFastCheck(s: fastCheck.Scheduler): Promise<void> {
  let isHeld = false;
  const waiting: (() => void)[] = [];
  const acquire = async () => {
    if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
    isHeld = true;
    await s.schedule(Promise.resolve());
  };
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) isHeld = false;
    else next();
  };
  const task = async () => {
    await s.schedule(Promise.resolve());
    for (let i = 0; i < 3; i++) {
      await acquire();
      await s.schedule(Promise.resolve());
      release();
    }
  };
  await s.waitFor(Promise.all([task(), task(), task()]));
}

async function cpuOf(runs: number, job: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await job();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}

const RUNS = 2000;
interface Job {
  /** What is not measured. */
  readonly prepare?: () => void;
  readonly run: () => Promise<unknown>;
}
let schedulers: fastCheck.Scheduler[] = [];
const random: Strategy = { kind: "random" };
const jobs: Readonly<Record<string, Job>> = {
  "default drain": { run: () => explore(crowd, { timeRaces: false, strategy: random, schedules: RUNS, timeMs: 1e6 }) },
  'drain: "sync"': { run: () => explore(crowd, { ...quick, strategy: random, schedules: RUNS, timeMs: 1e6 }) },
  "fast-check": {
    prepare: () => {
      schedulers = fastCheck.sample(fastCheck.scheduler(), { seed: 1, numRuns: RUNS });
    },
    run: async () => {
      for (const scheduler of schedulers) await crowdOfFastCheck(scheduler);
    },
  },
};
const costs: Record<string, number[]> = {};
for (let round = 0; round < 7; round++) {
  for (const [name, { prepare, run }] of Object.entries(jobs)) {
    prepare?.();
    const cost = await cpuOf(RUNS, run);
    costs[name] = [...(costs[name] ?? []), cost];
  }
}
const { maxSteps } = await explore(crowd, { ...quick, schedules: 1 });
console.log(`\ncost of a schedule of ${maxSteps} steps, CPU time, medians of 7`);
for (const [name, values] of Object.entries(costs)) {
  const cost = ofSorted(values, 0.5);
  console.log(`${name.padEnd(16)} ${cost.toFixed(1)} µs, ${Math.round(1e6 / cost)} schedules a CPU second`);
}

console.log("\ncancelled at every checkpoint: a pool of workers, right and with a planted bug; CPU time, medians of 11");
for (const bug of [undefined, ...poolBugs]) {
  for (const seeds of [0, 4]) {
    const times: number[] = [];
    let told = "";
    for (let i = -3; i < 11; i++) {
      const { body, check } = poolProgram(bug);
      const cost = await cpuOf(1, async () => {
        try {
          const { points, runs } = await injectCancellation(body, { seeds, check });
          told = `nothing found at ${points} checkpoints in ${runs} runs`;
        } catch (error) {
          if (!(error instanceof ScheduleFailure)) throw error;
          told = `found: ${error.message.split("\n", 1)[0]?.replace(/:$/, "")}`;
        }
      });
      if (i >= 0) times.push(cost);
    }
    const under = seeds === 0 ? "default order" : `and ${seeds} others`;
    console.log(`${(bug ?? "no bug").padEnd(20)} ${under.padEnd(14)} ${(ofSorted(times, 0.5) / 1000).toFixed(0).padStart(4)} ms  ${told}`);
  }
}
