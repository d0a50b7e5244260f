import fc from "fast-check";
import { checkpoint, DeadlockError, Lock, now, openNursery, sleep } from "../../src/index.js";
import type { Scheduler } from "../../src/testing/engine/scheduler.js";
import { Session } from "../../src/testing/engine/session.js";
import type { TrialResult } from "../../src/testing/engine/trial.js";
import type { Search } from "../../src/testing/search/search.js";
import type { Sim, SimBody } from "../../src/testing/sim.js";
import type { SimOptions } from "../../src/testing/sim-options.js";

/** All runs of a search, and what it calls complete. */
export async function runsOf(
  body: SimBody,
  search: Search,
  each: (result: TrialResult<unknown>) => void = () => {},
  most = 100_000,
  options: SimOptions = {},
): Promise<{ runs: number; isComplete: boolean }> {
  const session = await Session.open("a test", body, { timeRaces: false, ...options }, false);
  try {
    for (let runs = 0; runs < most; runs++) {
      const scheduler = search.next();
      if (scheduler === undefined) return { runs, isComplete: true };
      const result = await session.trial(scheduler);
      search.ended(result.trace);
      each(result);
    }
    return { runs: most, isComplete: false };
  } finally {
    session.close();
  }
}

export async function runOnce(body: SimBody, scheduler: Scheduler, options: SimOptions = {}): Promise<TrialResult<unknown>> {
  const session = await Session.open("a test", body, { timeRaces: false, ...options }, false);
  try {
    return await session.trial(scheduler);
  } finally {
    session.close();
  }
}

/** What one task of a random program does, one after another. */
export type Act =
  | { readonly kind: "read" | "write"; readonly of: 0 | 1 }
  | { readonly kind: "take" | "give"; readonly lock: 0 | 1 }
  | { readonly kind: "let" }
  | { readonly kind: "rest"; readonly ms: number };

export type RandomProgram = readonly (readonly Act[])[];

const which = fc.constantFrom<0 | 1>(0, 1);

/** Programs of two or three tasks with two variables and two locks. */
export function randomPrograms(longest: number, withTime = false): fc.Arbitrary<RandomProgram> {
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({ kind: fc.constantFrom<"read" | "write">("read", "write"), of: which }),
    fc.record({ kind: fc.constantFrom<"take" | "give">("take", "give"), lock: which }),
    fc.constant<Act>({ kind: "let" }),
    ...(withTime ? [fc.record({ kind: fc.constant<"rest">("rest"), ms: fc.nat({ max: 3 }) })] : []),
  );
  return fc.array(fc.array(act, { minLength: 1, maxLength: longest }), { minLength: 2, maxLength: 3 });
}

/** Runs a random program; `onEnd` gets what its outcome depends on. */
export function bodyOf(program: RandomProgram, onEnd: (outcome: string) => void): (sim: Sim) => Promise<void> {
  return async (sim) => {
    const state = sim.shared("state", { v0: 0, v1: 0 });
    const locks = [new Lock(), new Lock()] as const;
    const seen: number[][] = program.map(() => []);
    const times: number[][] = program.map(() => []);
    try {
      await openNursery((nursery) => {
        for (const [who, acts] of program.entries()) {
          nursery.startSoon(
            async (task) => {
              const held = new Set<0 | 1>();
              for (const [i, act] of acts.entries()) {
                times[who]?.push(now(task));
                if (act.kind === "read") (seen[who] as number[]).push(state[`v${act.of}`]);
                else if (act.kind === "write") state[`v${act.of}`] = 100 * (who + 1) + i;
                else if (act.kind === "let") await checkpoint();
                else if (act.kind === "rest") await sleep(act.ms);
                else if (act.kind === "take" && !held.has(act.lock)) {
                  await locks[act.lock].acquire(task);
                  held.add(act.lock);
                } else if (act.kind === "give" && held.delete(act.lock)) {
                  locks[act.lock].release(task);
                  await checkpoint();
                }
              }
              times[who]?.push(now(task));
              for (const lock of held) locks[lock].release(task);
            },
            { name: `t${who}` },
          );
        }
      });
    } finally {
      onEnd(JSON.stringify([state.v0, state.v1, seen, times]));
    }
  };
}

/** The outcomes that a search finds: what the program computed, or that it could not go on. */
export async function outcomesOf(program: RandomProgram, search: Search, most: number, options?: SimOptions) {
  const outcomes = new Set<string>();
  let last = "";
  const body = bodyOf(program, (outcome) => {
    last = outcome;
  });
  const { runs, isComplete } = await runsOf(
    body,
    search,
    ({ finding }) => {
      // After a deadlock everything is cancelled, and what that leaves depends on more than what was found.
      outcomes.add(finding === undefined ? last : finding.error instanceof DeadlockError ? `deadlock` : String(finding.error));
    },
    most,
    { drain: "sync", ...options },
  );
  return { outcomes: [...outcomes].sort(), runs, isComplete };
}
