import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Collects all garbage, also what waits for a finalizer, and what a collection in a callback would take for live because the stack still points to it. Needs no
 * flag on the command line.
 */
export async function collectGarbage(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = globalThis.gc ?? (runInNewContext("gc") as () => void);
  }
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  // Finalizers are called in turns of their own.
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setTimeout(resolve, 2));
}
