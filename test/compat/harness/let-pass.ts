import { setTimeout } from "node:timers/promises";

/** How many turns of the event loop every wait takes at least. */
const TURNS = 16;

/**
 * Waits, in parts, so that the event loop turns several times however late a busy machine wakes this process: what was ready by then has been told.
 * Ends early, and without a word, when the signal is aborted.
 */
export async function letPass(ms: number, signal?: AbortSignal): Promise<void> {
  for (let i = 0; i < TURNS && signal?.aborted !== true; i++) {
    await setTimeout(ms / TURNS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}
