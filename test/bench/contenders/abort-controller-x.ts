import { peer } from "../peer.js";
import type { Contender } from "./contender.js";
import { kept } from "./kept.js";
import { child, childOf, LONG, often, TEN, THREE, tally } from "./work.js";

interface Fork {
  join(): Promise<unknown>;
}
interface Effects {
  fork(fn: (signal: AbortSignal) => Promise<unknown>): Fork;
}
interface Library {
  spawn<A>(signal: AbortSignal, fn: (signal: AbortSignal, effects: Effects) => Promise<A>): Promise<A>;
  all(signal: AbortSignal, executor: (signal: AbortSignal) => readonly Promise<unknown>[]): Promise<unknown[]>;
  race<A>(signal: AbortSignal, executor: (signal: AbortSignal) => readonly Promise<A>[]): Promise<A>;
  delay(signal: AbortSignal, ms: number): Promise<void>;
  catchAbortError(error: unknown): void;
}

export async function abortControllerX(): Promise<Contender> {
  const { spawn, all, race, delay, catchAbortError } = await peer<Library>("abort-controller-x");
  const never = () => new AbortController().signal;
  const startSleepers = (fork: Effects["fork"], n: number) => {
    for (let i = 0; i < n; i++) {
      fork(async (signal) => {
        tally.done++;
        await delay(signal, LONG + i);
      });
    }
  };
  const nest = async (signal: AbortSignal, depth: number): Promise<void> => {
    tally.done++;
    if (depth > 1) {
      await spawn(signal, async (_, { fork }) => {
        await fork((inner) => nest(inner, depth - 1)).join();
      });
    }
  };
  return {
    timed: {
      spawn: (n) =>
        spawn(never(), async (_, { fork }) => {
          const forks: Fork[] = [];
          for (let i = 0; i < n; i++) forks.push(fork(childOf(i)));
          await Promise.all(forks.map((each) => each.join()));
        }),
      cancel: async (n) => {
        const controller = new AbortController();
        const group = spawn(controller.signal, async (signal, { fork }) => {
          startSleepers(fork, n);
          await delay(signal, LONG);
        });
        await undefined;
        controller.abort();
        await group.catch(catchAbortError);
      },
      nested: (n) => nest(never(), n),
      timeout: async (n) => {
        const signal = never();
        for (let i = 0; i < n; i++) await race(signal, (inner) => [child(), delay(inner, LONG)]);
      },
      all: (n) => {
        const signal = never();
        return often(n, () => all(signal, () => TEN.map((fn) => fn())));
      },
      race: (n) => {
        const signal = never();
        return often(n, () => race(signal, () => THREE.map((fn) => fn())));
      },
    },
    bytes: {
      idle: async (n, heap) => {
        const controller = new AbortController();
        let bytes = 0;
        await spawn(controller.signal, async (signal, { fork }) => {
          const before = heap();
          startSleepers(fork, n);
          await undefined;
          bytes = (heap() - before) / n;
          controller.abort();
          await delay(signal, LONG);
        }).catch(catchAbortError);
        return bytes;
      },
      settled: (n, heap) => spawn(never(), (_, { fork }) => kept(n, heap, () => fork(child).join())),
      foreign: (n, heap) => {
        const signal = never();
        return kept(n, heap, () => spawn(signal, child));
      },
    },
  };
}
