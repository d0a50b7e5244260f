/** What one task puts items into, and another takes them from. */
export interface HandWrittenQueue<T> {
  send(item: T): Promise<void>;
  receive(): Promise<T>;
}

/** A bounded queue as it is written by hand: a ring of 16 places, and a promise for each who has to wait. With a signal its calls can be cancelled. */
export class PromiseRing<T> implements HandWrittenQueue<T> {
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

/** One sends, one receives. */
export async function throughQueue(n: number, queue: HandWrittenQueue<number>): Promise<number> {
  const produce = async () => {
    for (let i = 0; i < n; i++) await queue.send(i);
  };
  const consume = async () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += await queue.receive();
    return sum;
  };
  const [sum] = await Promise.all([consume(), produce()]);
  return sum;
}
