import { describe, expect, test } from "vitest";
import { type Nursery, openNursery } from "../../../src/index.js";
import { explore, type InjectTarget, injectCancellation, type Sim } from "../../../src/testing/index.js";

/** What must be true of a program of a few tasks when all of them have ended. */
export interface Oracle {
  /** However it went: nothing is lost, nothing is left. */
  always(): void;
  /** If nothing was cancelled. */
  complete?(): void;
}

/** Starts a few tasks that use one primitive, and makes all that they use anew. */
export type Program = (nursery: Nursery, sim: Sim) => Oracle;

export interface ProgramOptions {
  /** Errors that a peer may get because another one is gone. */
  readonly expected?: (error: unknown) => boolean;
  /** Each operation of each kind of task once in a schedule, where every one would take too long. */
  readonly points?: "every" | "sites";
  /** What is cancelled, where the library has tasks of its own that nobody could cancel. */
  readonly targets?: readonly InjectTarget[];
}

/** The library under its own tools: each program in some 200 orders, and with one cancellation at each of its checkpoints, in 5 orders. */
export function holds(name: string, program: Program, options: ProgramOptions = {}): void {
  describe(name, () => {
    test("holds in any order", async () => {
      const body = async (sim: Sim) => {
        const { always, complete } = await openNursery((nursery) => program(nursery, sim));
        always();
        complete?.();
      };
      const { schedules } = await explore(body, { schedules: 200, timeMs: 10_000, drain: "sync" });
      expect(schedules).toBe(200);
    });

    test("holds with a cancellation anywhere", async () => {
      let oracle: Oracle | undefined;
      const body = async (sim: Sim) => {
        oracle = undefined;
        await openNursery((nursery) => {
          oracle = program(nursery, sim);
        });
      };
      const { runs } = await injectCancellation(body, {
        modes: ["enter", "blocked", "fault"],
        ...options,
        check: () => oracle?.always(),
        drain: "sync",
      });
      expect(runs).toBeGreaterThan(5);
    });
  });
}

/** Counts what is in use: at most how many at once, and whether all were given back. */
export class Usage {
  now = 0;
  most = 0;
  total = 0;

  async during<T>(body: () => T | PromiseLike<T>): Promise<T> {
    this.total++;
    this.most = Math.max(this.most, ++this.now);
    try {
      return await body();
    } finally {
      this.now--;
    }
  }
}
