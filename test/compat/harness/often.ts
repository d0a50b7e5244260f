import { getEventListeners } from "node:events";
import { run, type Task } from "creche";
import { collect } from "./leftovers.js";

/** How often an operation is done to see whether it leaves something each time. */
export const TIMES = 8;

/** How many signals may be held by something that holds the last few of whatever it was given. */
export const MAY_LINGER = TIMES / 2;

/** What many operations that succeed have left. */
export interface Often {
  /** How many of the signals somebody keeps though their tasks have ended. */
  readonly keptSignals: number;
  /** Listeners on a signal that all of them were given. */
  readonly listeners: number;
  /** The same after a garbage collection. */
  readonly listenersLater: number;
}

/** Does an operation many times in tasks of their own, and many times in one task. */
export async function often(operation: (task: Task) => unknown): Promise<Often> {
  const signals: WeakRef<AbortSignal>[] = [];
  for (let i = 0; i < TIMES; i++) {
    await run((nursery) => {
      nursery.startSoon(async (task) => {
        signals.push(new WeakRef(task.signal));
        await operation(task);
      });
    });
  }
  const countKept = () => signals.filter((signal) => signal.deref() !== undefined).length;
  await collect(() => countKept() <= MAY_LINGER);
  const keptSignals = countKept();
  let listeners = 0;
  let listenersLater = 0;
  await run((nursery) => {
    nursery.startSoon(async (task) => {
      for (let i = 0; i < TIMES; i++) await operation(task);
      const count = () => getEventListeners(task.signal, "abort").length;
      listeners = count();
      await collect(() => count() < TIMES);
      listenersLater = count();
    });
  });
  return { keptSignals, listeners, listenersLater };
}
