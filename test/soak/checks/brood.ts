import type { Awaitable } from "../../../src/index.js";
import type { Ledger } from "./ledger.js";

/** The tasks of one nursery: none begins, goes on or ends after the nursery has ended, and each that began has ended by then. */
export class Brood {
  readonly #ledger: Ledger;
  readonly #name: string;
  #live = 0;
  #isOver = false;

  constructor(name: string, ledger: Ledger) {
    this.#name = name;
    this.#ledger = ledger;
  }

  /** `fn`, watched from its first step to its last. */
  task<A extends unknown[], T>(fn: (...args: A) => Awaitable<T>): (...args: A) => Promise<T> {
    return async (...args) => {
      this.alive("a task begins");
      this.#live++;
      this.#ledger.begin("task");
      try {
        return await fn(...args);
      } finally {
        this.#live--;
        this.#ledger.end("task");
        this.alive("a task ends");
      }
    };
  }

  /** Said by a task that goes on. */
  alive(what: string): void {
    this.#ledger.check(!this.#isOver, () => `${what} in ${this.#name}, which has ended`);
  }

  /** The nursery has settled. */
  over(): void {
    this.#isOver = true;
    this.#ledger.check(this.#live === 0, () => `${this.#name} has ended, and ${this.#live} of its tasks have not`);
  }
}
