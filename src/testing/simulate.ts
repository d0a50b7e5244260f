import { DeadlockError } from "../kernel/errors.js";
import { nextTurn } from "../kernel/next-turn.js";
import type { Nursery } from "../kernel/nursery.js";
import { type RunOptions, run } from "../kernel/run.js";
import type { Awaitable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import { type WaitGraph, waitGraph } from "../kernel/wait-graph.js";
import { type Pick, SimulatedRuntime } from "./simulated-runtime.js";

export interface SimulateOptions extends Omit<RunOptions, "runtime" | "detached"> {
  /** The virtual time at the beginning, in ms. Default 0. */
  readonly startTime?: number | undefined;
  /** Which ready wake-up goes on next. Default: the oldest. */
  readonly pick?: Pick | undefined;
  /** Real milliseconds for which something foreign may be awaited while nothing else goes on. Default 250. */
  readonly settleMs?: number | undefined;
}

/**
 * Runs `body` as `run` does, in virtual time: when everything waits, the clock jumps to the next deadline or sleeper. Takes no real time, whatever it sleeps.
 *
 * @throws DeadlockError if nothing can go on any more, with who waits on what
 * @throws RangeError if `pick` returns what is no index of a ready wake-up; and what `pick` throws. After everything was cancelled, and has ended
 * @throws UsageError if `body` or `pick` is no function
 */
export async function simulate<T>(body: (root: Nursery) => Awaitable<T>, options: SimulateOptions = {}): Promise<T> {
  const { startTime, pick, settleMs = 250, ...runOptions } = options;
  requireFunction(body, "simulate()");
  if (pick !== undefined) requireFunction(pick, "simulate({ pick })");
  const runtime = new SimulatedRuntime(startTime, pick);
  let root: Nursery | undefined;
  let isOver = false;
  const outcome = run(
    (nursery) => {
      root = nursery;
      return body(nursery);
    },
    { ...runOptions, detached: true, runtime },
  );
  const over = () => {
    isOver = true;
  };
  outcome.then(over, over);
  let stuckSince: number | undefined;
  let trouble: { readonly error: unknown } | undefined;
  /** What can still be cancelled is given the chance to clean up; what cannot is abandoned. */
  const giveUp = (error: unknown) => {
    trouble ??= { error };
    stuckSince = undefined;
    root?.cancel(error);
  };
  /** As `act`, and goes on after it if the schedule went wrong there, which it does once. */
  const attempt = (act: () => boolean): boolean => {
    try {
      return act();
    } catch (error) {
      giveUp(error);
      return true;
    }
  };
  for (;;) {
    await nextTurn();
    if (isOver) break;
    if (attempt(() => runtime.step())) {
      stuckSince = undefined;
      continue;
    }
    const graph = waitGraph(root as Nursery);
    stuckSince ??= performance.now();
    if (graph.elsewhere.length + graph.abandoned > 0 && performance.now() - stuckSince < settleMs) continue;
    if (trouble !== undefined) break;
    giveUp(deadlockOf(graph, settleMs));
  }
  // What floated was cancelled, and has yet to be told.
  while (isOver && attempt(() => runtime.flush())) await nextTurn();
  if (trouble === undefined) return outcome;
  throw trouble.error;
}

function deadlockOf({ waiting, elsewhere, abandoned }: WaitGraph, settleMs: number): DeadlockError {
  const lines = waiting.map(({ task, op, on, heldBy, startedAt }) => {
    const what = `${op}${on && ` ${on}`}${heldBy === undefined ? "" : `, held by ${heldBy}`}`;
    return `  ${task} waits: ${what}${startedAt === undefined ? "" : ` (started ${startedAt})`}`;
  });
  for (const task of elsewhere) {
    lines.push(
      `  ${task} waits for something that is not of this library, and was not settled within ${settleMs} ms of real time; between tasks, use an Event or join()`,
    );
  }
  if (abandoned === 1) lines.push("  1 foreign operation that was given up goes on");
  if (abandoned > 1) lines.push(`  ${abandoned} foreign operations that were given up go on`);
  return new DeadlockError(`nothing can go on any more, and no time can pass that would change that:\n${lines.join("\n")}`, waiting);
}
