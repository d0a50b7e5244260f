import { LONG, tally } from "./work.js";

/** A child that sleeps. */
export async function sleeper(i: number, signal: AbortSignal): Promise<void> {
  tally.done++;
  await floorSleep(LONG + i, signal);
}

/** The hand-written cancellable sleep: a timer, and a listener on the signal. */
function floorSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
