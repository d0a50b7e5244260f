import { checkpoint, EndOfChannel, openMemoryChannel, Semaphore, shield, sleep } from "../../src/index.js";
import type { Sim } from "../../src/testing/index.js";

/** What may be wrong with the pool. Each is a mistake that people make, and passes every test in which nothing is cancelled. */
export const poolBugs = [
  /** The permit is given back only where all goes well. */
  "no finally",
  /** What was received is nowhere when the work on it is cancelled. */
  "item dropped",
  /** The cleanup waits where every wait throws, so what comes after it is not done. */
  "unshielded cleanup",
  /** It takes the cancellation for one more failure, and tries again. */
  "catch-all retry",
] as const;
export type PoolBug = (typeof poolBugs)[number];

const ITEMS = 4;

/** A producer and two workers that share one connection: some 25 checkpoints. `check` throws if an item or the connection is lost. */
export function poolProgram(bug?: PoolBug): { readonly body: (sim: Sim) => void; readonly check: () => void } {
  let check = () => {};

  const body = (sim: Sim): void => {
    const [send, receive] = openMemoryChannel<number>(1);
    const connections = new Semaphore(1);
    let sent = 0;
    const stored: number[] = [];
    const unfinished: number[] = [];

    const produce = async () => {
      try {
        for (let item = 1; item <= ITEMS; item++) {
          await send.send(item);
          sent++;
        }
      } finally {
        send.close();
      }
    };

    const next = async (): Promise<number | undefined> => {
      for (;;) {
        try {
          return await receive.receive();
        } catch (error) {
          if (error instanceof EndOfChannel) return undefined;
          if (bug !== "catch-all retry") throw error;
        }
      }
    };

    const process = async (item: number) => {
      await connections.acquire();
      if (bug === "no finally") {
        await sleep(1);
        connections.release();
      } else {
        try {
          await sleep(1);
        } finally {
          await (bug === "unshielded cleanup" ? checkpoint() : shield(() => checkpoint()));
          connections.release();
        }
      }
      stored.push(item);
    };

    const work = async () => {
      for (let item = await next(); item !== undefined; item = await next()) {
        try {
          await process(item);
        } catch (error) {
          if (bug !== "item dropped") unfinished.push(item);
          throw error;
        }
      }
    };

    sim.root.startSoon(produce, { name: "producer" });
    sim.root.startSoon(work, { name: "worker 1" });
    sim.root.startSoon(work, { name: "worker 2" });

    check = () => {
      const inChannel = receive.statistics().currentBufferUsed;
      const kept = stored.length + unfinished.length + inChannel;
      if (kept !== sent) throw new Error(`of ${sent} items ${kept} are left`);
      if (connections.value !== 1) throw new Error("the connection was not given back");
    };
  };

  return { body, check: () => check() };
}
