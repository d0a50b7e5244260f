import { setMaxListeners } from "node:events";
import { type Nursery, sleepForever } from "../../src/index.js";

/** What can be planted, to see that it is found: once in so many requests, something that keeps a little. */
export const LEAKS = ["listener", "closure", "timer", "task", "promise"] as const;
export type Leak = (typeof LEAKS)[number];

const ONE_IN = 20;

/** Returns what is to be called with each request. */
export function planted(leak: Leak | undefined, shutdown: AbortSignal, server: () => Nursery): (request: object) => void {
  if (leak === undefined) return () => {};
  // A leak of listeners that Node does not warn of.
  setMaxListeners(0, shutdown);
  const kept: (() => unknown)[] = [];
  const never = new Promise<void>(() => {});
  const plant: Record<Leak, (request: object) => void> = {
    listener: () => shutdown.addEventListener("abort", () => {}),
    closure: (request) => kept.push(() => request),
    timer: (request) => setTimeout(() => request, 1e9),
    task: () => server().startSoon((task) => sleepForever(task), { name: "leak", background: true }),
    promise: (request) => void never.then(() => request),
  };
  let count = 0;
  return (request) => {
    if (++count % ONE_IN === 0) plant[leak](request);
  };
}
