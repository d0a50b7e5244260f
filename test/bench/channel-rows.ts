import { openMemoryChannel, run } from "../../src/index.js";
import type { Row } from "./row.js";

const ITEMS = 1e5;

const careful = () => floorChannel(new AbortController().signal);

export const channelRows: readonly Row[] = [
  { name: "channel of 16, 1e5 items", goal: 0.9, floor: () => floorChannel(), careful, creche: () => channel(16, false), times: 2 },
  { name: "channel of 16, ambient", goal: 1.2, floor: () => floorChannel(), careful, creche: () => channel(16, true), times: 2 },
  { name: "channel of 0, 1e5 items", goal: 1.5, floor: () => floorChannel(), careful, creche: () => channel(0, false), times: 2 },
];

/** A bounded queue as it is written by hand: a ring of 16 places, and a promise for each who has to wait. With a signal its calls can be cancelled. */
class PromiseRing<T> {
  readonly #signal: AbortSignal | undefined;
  readonly #places: (T | undefined)[] = new Array(16);
  readonly #senders: (() => void)[] = [];
  readonly #receivers: (() => void)[] = [];
  #first = 0;
  #size = 0;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  async send(item: T): Promise<void> {
    this.#signal?.throwIfAborted();
    while (this.#size === this.#places.length) await this.#wait(this.#senders);
    this.#places[(this.#first + this.#size++) % this.#places.length] = item;
    this.#receivers.shift()?.();
  }

  async receive(): Promise<T> {
    this.#signal?.throwIfAborted();
    while (this.#size === 0) await this.#wait(this.#receivers);
    const item = this.#places[this.#first] as T;
    this.#places[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#places.length;
    this.#size--;
    this.#senders.shift()?.();
    return item;
  }

  #wait(queue: (() => void)[]): Promise<void> {
    const signal = this.#signal;
    if (signal === undefined) return new Promise((resolve) => queue.push(resolve));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(wake), 1);
        reject(signal.reason);
      };
      const wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort);
      queue.push(wake);
    });
  }
}

async function floorChannel(signal?: AbortSignal): Promise<void> {
  const ring = new PromiseRing<number>(signal);
  const produce = async () => {
    for (let i = 0; i < ITEMS; i++) await ring.send(i);
  };
  const consume = async () => {
    let sum = 0;
    for (let i = 0; i < ITEMS; i++) sum += await ring.receive();
    return sum;
  };
  await Promise.all([produce(), consume()]);
}

function channel(capacity: number, ambient: boolean): Promise<number> {
  return run(
    async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(capacity);
      nursery.startSoon(async (task) => {
        const scope = ambient ? undefined : task;
        for (let i = 0; i < ITEMS; i++) await send.send(i, scope);
      });
      const scope = ambient ? undefined : nursery;
      let sum = 0;
      for (let i = 0; i < ITEMS; i++) sum += await receive.receive(scope);
      return sum;
    },
    { ambient },
  );
}
