import type { Ledger } from "./ledger.js";

/** What at most `capacity` may be in at the same time: it is told who enters and who leaves, and complains. */
export class Exclusive {
  readonly #name: string;
  readonly #capacity: () => number;
  readonly #ledger: Ledger;
  #inside = 0;

  constructor(name: string, capacity: () => number, ledger: Ledger) {
    this.#name = name;
    this.#capacity = capacity;
    this.#ledger = ledger;
  }

  async hold<T>(body: () => Promise<T>): Promise<T> {
    this.#inside++;
    this.#ledger.begin("inside a resource");
    this.#ledger.check(this.#inside <= this.#capacity(), () => `${this.#inside} are in ${this.#name} at once`);
    try {
      return await body();
    } finally {
      this.#inside--;
      this.#ledger.end("inside a resource");
    }
  }
}
