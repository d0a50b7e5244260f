import { type CancelScope, now } from "../../../src/index.js";
import type { Ledger } from "./ledger.js";

/** In ms: a timer of Node may be early by 1, and is armed again then. */
const SLACK = 20;

/**
 * Watches the deadline of a scope: it must have cancelled the scope before the event loop has called a timer of the platform that was set for a little later, and
 * then all others that were due. When the loop is held up, all are late together: so this says whether the clock is late, and nothing of how busy the machine is.
 *
 * Returns what ends the watch.
 */
export function punctual(scope: CancelScope, at: number, ledger: Ledger): () => void {
  const { signal } = scope;
  let isOver = false;
  const onAbort = () => {
    if (at <= now()) ledger.late(now() - at);
  };
  const check = () => {
    if (isOver || signal.aborted) return;
    ledger.violated(`a deadline that has passed by ${(now() - at).toFixed(1)} ms was not reported before a timer that was set for later`);
  };
  const arm = () => setTimeout(onTimeout, Math.max(0, at - now()) + SLACK);
  const onTimeout = () => {
    if (now() < at + SLACK - 1) timer = arm();
    // Node calls timers of the same delay in a row, before others that were due sooner. Between two turns of the loop it calls all.
    else setImmediate(() => setImmediate(check));
  };
  let timer = arm();
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  };
}
