import { Cancelled } from "../../src/index.js";
import type { Thrown } from "./program.js";

/** Something that a program throws on purpose. */
export class Boom extends Error {
  override readonly name = "Boom";
}

/** What the throw statements of one run throw: any value may be thrown, and the same object more than once. */
export class Throwables {
  readonly #same = [new Boom("same 0"), new Boom("same 1")];
  readonly #frozen = Object.freeze({ frozen: true });
  #made = 0;
  #stale: Cancelled | undefined = undefined;

  /** Remembers cancellations, to throw them again where they do not belong. */
  caught(error: unknown): void {
    if (error instanceof Cancelled) this.#stale = error;
  }

  make(what: Thrown): unknown {
    switch (what) {
      case "fresh":
        return new Boom(`fresh ${++this.#made}`);
      case "same-0":
        return this.#same[0];
      case "same-1":
        return this.#same[1];
      case "undefined":
        return undefined;
      case "null":
        return null;
      case "string":
        return "boom";
      case "zero":
        return 0;
      case "frozen":
        return this.#frozen;
      case "aggregate":
        return new AggregateError([new Boom(`fresh ${++this.#made}`), this.#same[0]], "the program's own");
      case "abort":
        return new DOMException("somebody else's", "AbortError");
      case "timeout":
        return new DOMException("somebody else's", "TimeoutError");
      case "stale":
        return this.#stale ?? new Boom(`fresh ${++this.#made}`);
    }
  }
}
