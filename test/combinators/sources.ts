import fc from "fast-check";
import { type Cancellable, type CancelScope, type ItemSource, shield, sleep } from "../../src/index.js";

export const KINDS = ["array", "generator", "async generator", "generator function", "iterator", "emitter"] as const;

/** Where the items of a random program come from. Items are numbers from 0. */
export interface SourcePlan {
  readonly kind: (typeof KINDS)[number];
  readonly length: number;
  /** Milliseconds before each item, where the source can wait. */
  readonly delay: number;
  /** In place of which item it throws, if it does. */
  readonly failsAt: number | undefined;
  /** Milliseconds that it takes to close it, where that can take time. */
  readonly closes: number;
  readonly failsClosing: boolean;
}

export const sourcePlans: fc.Arbitrary<SourcePlan> = fc.record({
  kind: fc.constantFrom(...KINDS),
  length: fc.nat({ max: 6 }),
  delay: fc.nat({ max: 2 }),
  failsAt: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 3 }),
  closes: fc.nat({ max: 2 }),
  failsClosing: fc.nat({ max: 4 }).map((n) => n === 0),
});

/** A source as planned, that notes what is done with it. */
export class Source {
  /** Items that were asked for, and given. */
  asked = 0;
  given = 0;
  /** It was asked for one more than there are. */
  isExhausted = false;
  /** It threw in place of an item. */
  hasThrown = false;
  /** Calls of `return()`, or `finally` blocks entered early. */
  closings = 0;
  /** Those that are over. */
  closed = 0;
  readonly failure = new Error("reading");
  readonly closingFailure = new Error("closing");
  readonly #plan: SourcePlan;

  constructor(plan: SourcePlan) {
    this.#plan = plan;
  }

  get plan(): SourcePlan {
    return this.#plan;
  }

  /** `outer` is passed to what waits, where the source is not a function that receives a scope. */
  make(outer: Cancellable | undefined, at: (scope: CancelScope) => Cancellable | undefined): ItemSource<number> {
    switch (this.#plan.kind) {
      case "array":
        return Array.from({ length: this.#plan.length }, (_, i) => i);
      case "generator":
        return this.#generator();
      case "async generator":
        return this.#asyncGenerator(outer);
      case "generator function":
        return (scope) => this.#asyncGenerator(at(scope));
      case "iterator":
        return { [Symbol.asyncIterator]: () => this.#iterator(outer) };
      case "emitter":
        return { [Symbol.asyncIterator]: () => this.#emitter() };
    }
  }

  *#generator(): Generator<number> {
    let isWhole = false;
    try {
      for (let i = 0; this.#ask(i); i++) yield this.#give(i);
      isWhole = true;
    } finally {
      if (!isWhole && !this.hasThrown) {
        this.closings++;
        this.#close();
      }
    }
  }

  async *#asyncGenerator(where: Cancellable | undefined): AsyncGenerator<number> {
    let isWhole = false;
    try {
      for (let i = 0; ; i++) {
        if (this.#plan.delay > 0) await sleep(this.#plan.delay, where);
        if (!this.#ask(i)) break;
        yield this.#give(i);
      }
      isWhole = true;
    } finally {
      if (!isWhole && !this.hasThrown) {
        this.closings++;
        await this.#closeSlowly(where);
      }
    }
  }

  #iterator(where: Cancellable | undefined): AsyncIterator<number> {
    let i = 0;
    return {
      next: async () => {
        if (this.#plan.delay > 0) await sleep(this.#plan.delay, where);
        if (!this.#ask(i)) return { done: true, value: undefined };
        return { done: false, value: this.#give(i++) };
      },
      return: async () => {
        this.closings++;
        await this.#closeSlowly(where);
        return { done: true, value: undefined };
      },
    };
  }

  /** Has no end: after its items, nothing comes any more, until it is closed. */
  #emitter(): AsyncIterator<number> {
    let i = 0;
    let end: ((result: IteratorResult<number>) => void) | undefined;
    return {
      next: async () => {
        if (i < this.#plan.length || this.#plan.failsAt === i) {
          if (this.#ask(i)) return { done: false, value: this.#give(i++) };
        }
        return new Promise((resolve) => {
          end = resolve;
        });
      },
      return: async () => {
        this.closings++;
        end?.({ done: true, value: undefined });
        this.#close();
        return { done: true, value: undefined };
      },
    };
  }

  #ask(i: number): boolean {
    this.asked++;
    if (i === this.#plan.failsAt) {
      this.hasThrown = true;
      throw this.failure;
    }
    this.isExhausted = i >= this.#plan.length;
    return !this.isExhausted;
  }

  #give(i: number): number {
    this.given++;
    return i;
  }

  #close(): void {
    this.closed++;
    if (this.#plan.failsClosing) throw this.closingFailure;
  }

  async #closeSlowly(where: Cancellable | undefined): Promise<void> {
    if (this.#plan.closes > 0) await shield((scope) => sleep(this.#plan.closes, scope), where);
    this.#close();
  }
}
