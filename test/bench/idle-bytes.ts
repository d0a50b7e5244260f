import { run, sleep } from "../../src/index.js";
import { floorSleep } from "./floor-sleep.js";

/** Heap bytes of one child that sleeps; needs --expose-gc. */
export async function idleBytes(n: number): Promise<{ readonly floor: number; readonly creche: number }> {
  const controller = new AbortController();
  const floorChildren: Promise<void>[] = [];
  const floor = perChild(n, () => {
    for (let i = 0; i < n; i++) {
      const child = async () => {
        await floorSleep(1e6 + i, controller.signal);
      };
      floorChildren.push(child());
    }
  });
  controller.abort(new Error("stop"));
  await Promise.allSettled(floorChildren);
  let creche = 0;
  await run(
    async (nursery) => {
      const before = heap();
      for (let i = 0; i < n; i++) {
        nursery.startSoon(async (task) => {
          await sleep(1e6 + i, task);
        });
      }
      await undefined;
      await undefined;
      creche = (heap() - before) / n;
      nursery.cancel();
    },
    { ambient: false },
  );
  return { floor, creche };
}

function perChild(n: number, make: () => void): number {
  const before = heap();
  make();
  return (heap() - before) / n;
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
