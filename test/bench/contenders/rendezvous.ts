import type { HandWrittenQueue } from "./promise-ring.js";

interface Offer<T> {
  readonly item: T;
  readonly taken: () => void;
}

/** A queue without places as it is written by hand: a sender waits until its item is taken. With a signal its calls can be cancelled. */
export class Rendezvous<T> implements HandWrittenQueue<T> {
  readonly #signal: AbortSignal | undefined;
  readonly #senders: Offer<T>[] = [];
  readonly #receivers: ((item: T) => void)[] = [];

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  async send(item: T): Promise<void> {
    this.#signal?.throwIfAborted();
    const receive = this.#receivers.shift();
    if (receive === undefined) await this.#wait<void, Offer<T>>(this.#senders, (taken) => ({ item, taken }));
    else receive(item);
  }

  async receive(): Promise<T> {
    this.#signal?.throwIfAborted();
    const offer = this.#senders.shift();
    if (offer === undefined) return this.#wait<T, (item: T) => void>(this.#receivers, (receive) => receive);
    offer.taken();
    return offer.item;
  }

  #wait<R, W>(queue: W[], waiterOf: (wake: (value: R) => void) => W): Promise<R> {
    const signal = this.#signal;
    if (signal === undefined) return new Promise((resolve) => queue.push(waiterOf(resolve)));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter = waiterOf((value) => {
        signal.removeEventListener("abort", onAbort);
        resolve(value);
      });
      signal.addEventListener("abort", onAbort);
      queue.push(waiter);
    });
  }
}
