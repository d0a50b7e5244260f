import { nextTurn } from "../../kernel/next-turn.js";

/** How a run learns that everything a step has set in motion has come to rest. */
export type DrainMode = "auto" | "sync";

/** Real milliseconds without a turn of the event loop in `sync` mode, so that timers of a test runner have their turn. */
const SLICE_MS = 20;

// Captured when the module is loaded: a test that fakes timers later must not hold up a run.
const { setImmediate: immediate } = globalThis;

type TickCallback = () => void;

/** Calls `onTurn` in a later turn of the event loop, when all microtasks have run: never a number of hops, which is never enough for all. */
export function later(onTurn: () => void): void {
  if (typeof immediate === "function") immediate(onTurn);
  else void nextTurn().then(onTurn);
}

/** Runs all microtasks now, where the platform lets it be done. To be called from a turn of the event loop, not from a microtask. */
export class SyncDrain {
  readonly #drain: TickCallback;
  #until = 0;

  private constructor(drain: TickCallback) {
    this.#drain = drain;
  }

  /** A turn of the event loop begins. */
  begin(): void {
    this.#until = performance.now() + SLICE_MS;
  }

  /** False when it is time for another turn. */
  drain(): boolean {
    this.#drain();
    return performance.now() < this.#until;
  }

  static #found: Promise<SyncDrain | undefined> | undefined = undefined;

  /** `undefined` where the platform has none that passes the test: chains of awaits, async generators and rejections come to rest in it. */
  static find(): Promise<SyncDrain | undefined> {
    SyncDrain.#found ??= new Promise((resolve) => {
      later(() => {
        const { process } = globalThis as { process?: { _tickCallback?: TickCallback } };
        const tick = process?._tickCallback;
        resolve(typeof tick === "function" && isDraining(() => tick.call(process)) ? new SyncDrain(() => tick.call(process)) : undefined);
      });
    });
    return SyncDrain.#found;
  }
}

function isDraining(drain: () => void): boolean {
  let rested = 0;
  const chain = async (depth: number): Promise<void> => {
    if (depth > 0) await chain(depth - 1);
  };
  const items = async function* () {
    for (let i = 0; i < 20; i++) yield i;
  };
  void chain(50).then(() => rested++);
  void (async () => {
    for await (const _ of items()) await undefined;
    rested++;
  })();
  void Promise.reject(new Error("to be handled")).catch(() => rested++);
  drain();
  return rested === 3;
}
