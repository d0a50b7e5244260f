import { type CancelScope, now } from "../../../src/index.js";
import type { Ledger } from "./ledger.js";

/** In ms: a timer of Node may be early by 1, and is armed again then. */
const SLACK = 20;

/**
 * Watches the deadline of a scope: it must have cancelled the scope before timers of the platform are called that were set for later. When the event loop is
 * held up, all are late, and in the same order: so this says whether the clock is late, and nothing of how busy the machine is. There are two of those timers,
 * one after the other, because Node counts from the beginning of a turn, and one that was set at the end of a long turn comes too early.
 *
 * Returns what ends the watch.
 */
export function punctual(scope: CancelScope, at: number, ledger: Ledger): () => void {
  const { signal } = scope;
  const onAbort = () => {
    if (at <= now()) ledger.late(now() - at);
  };
  const arm = () => setTimeout(onTimeout, Math.max(0, at - now()) + SLACK);
  let chances = 2;
  const onTimeout = () => {
    if (signal.aborted) return;
    if (now() >= at + SLACK) chances--;
    if (chances > 0) timer = arm();
    else
      ledger.violated(`a deadline that has passed by ${(now() - at).toFixed(1)} ms was not reported before a timer that was set for later`);
  };
  let timer = arm();
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  };
}
