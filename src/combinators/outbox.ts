/** Results that have not been handed out: in the order of the items, or as they come. */
export class Outbox<R> {
  readonly #isOrdered: boolean;
  /** By their places in the order in which they are handed out, from 0. */
  readonly #results = new Map<number, R>();
  #put = 0;
  #taken = 0;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  /** The result of the item that is the `index`th of all, from 0. */
  put(index: number, result: R): void {
    this.#results.set(this.#isOrdered ? index : this.#put++, result);
  }

  /** Whether there is a result whose turn it is. */
  get isReady(): boolean {
    return this.#results.has(this.#taken);
  }

  get isEmpty(): boolean {
    return this.#results.size === 0;
  }

  /** The next result; it is ready. */
  take(): R {
    const result = this.#results.get(this.#taken) as R;
    this.#results.delete(this.#taken++);
    return result;
  }

  /** All that are left, and forgets them. */
  clear(): R[] {
    const left = [...this.#results.values()];
    this.#results.clear();
    return left;
  }
}
