import type { Nursery } from "../../src/index.js";
import type { RunOptions } from "../../src/kernel/run.js";
import type { Awaitable } from "../../src/kernel/types.js";
import { requireFunction } from "../../src/kernel/validate.js";
import { QUIET_MS } from "../../src/testing/engine/foreign-waits.js";
import { activeResources } from "../../src/testing/engine/resources.js";
import { baseScheduler, type Scheduler } from "../../src/testing/engine/scheduler.js";
import { Trial } from "../../src/testing/engine/trial.js";

/** Which of `n` ready wake-ups is released next: an integer from 0 to `n - 1`. */
export type Pick = (n: number) => number;

export interface SimulateOptions extends Omit<RunOptions, "runtime" | "detached"> {
  /** The virtual time at the beginning, in ms. Default 0. */
  readonly startTime?: number | undefined;
  /** Which ready wake-up goes on next. Default: the oldest. */
  readonly pick?: Pick | undefined;
  /** Real milliseconds for which something foreign may be awaited while nothing else goes on. Default 250. */
  readonly settleMs?: number | undefined;
}

/** One simulated run for tests of the library itself: it rejects as `run` does, with the error itself, and may leave locks held. */
export async function simulate<T>(body: (root: Nursery) => Awaitable<T>, options: SimulateOptions = {}): Promise<T> {
  const { startTime = 0, pick, settleMs = 250, ...run } = options;
  requireFunction(body, "simulate()");
  if (pick !== undefined) requireFunction(pick, "simulate({ pick })");
  const scheduler: Scheduler = pick === undefined ? baseScheduler("fifo") : { base: "fifo", choose: ({ count }) => pick(count), pick };
  const trial = new Trial<T>({
    scheduler,
    startTime,
    timeRaces: false,
    maxSteps: Number.MAX_SAFE_INTEGER,
    external: "settle",
    settleMs,
    drain: undefined,
    seed: 0,
    sites: false,
    leaks: { tasks: false, timers: false, locks: false },
    run,
    resources: activeResources() ?? [],
    quietMs: QUIET_MS,
    knownRaw: new Set(),
  });
  const { finding, value } = await trial.run(({ root }) => body(root));
  if (finding !== undefined) throw finding.error;
  return value as T;
}
