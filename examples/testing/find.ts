import { explore, injectCancellation, replay, ScheduleFailure } from "creche/testing";
import type { Case, Program } from "./case.js";

/** How many orders, and how many random ones at each cancellation, are tried. */
const SCHEDULES = 200;
const SEEDS = 4;

/** Looks for what is wrong. `undefined`: nothing was found. */
export async function find({ tool }: Case, { body, check }: Program): Promise<ScheduleFailure | undefined> {
  try {
    if (tool === "orders") await explore(body, { schedules: SCHEDULES, timeMs: Number.POSITIVE_INFINITY });
    else await injectCancellation(body, { check, seeds: SEEDS });
    return undefined;
  } catch (error) {
    if (error instanceof ScheduleFailure) return error;
    throw error;
  }
}

/** Runs the one schedule that failed, once more. Returns what it fails with then. */
export async function again(code: string, { body, check }: Program): Promise<unknown> {
  try {
    await replay(code, body, { check });
    return undefined;
  } catch (error) {
    return error;
  }
}
