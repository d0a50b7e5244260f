import { isCancelled } from "../kernel/cancelled.js";
import { operate } from "../kernel/lookup.js";
import { quiet } from "../kernel/quiet.js";
import type { Cancellable } from "../kernel/types.js";
import { END, type Item, nextIn } from "./next-item.js";
import type { Receivable } from "./receivable.js";

/**
 * What `for await` sees of a `Receivable`. However the loop is left, what it reads from is told: the language calls `return()` for a `break` or a throw,
 * and nothing at all when `next()` itself rejects, because the loop was cancelled for example. So `next()` does then what `return()` would.
 */
export class ItemIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #from: Receivable<T>;
  readonly #where: Cancellable | undefined;
  /** Whether leaving the loop early leaves alone what it reads from. */
  readonly #isGuest: boolean;
  #isLeft = false;

  constructor(from: Receivable<T>, where: Cancellable | undefined, isGuest: boolean) {
    this.#from = from;
    this.#where = where;
    this.#isGuest = isGuest;
  }

  next(): Promise<Item<T>> {
    if (this.#isLeft) return Promise.resolve(END);
    const next: Promise<Item<T>> = operate(this.#where, nextIn<T>, this.#from).catch(async (error: unknown) => {
      const last = await this.#leftBy(error);
      if (isCancelled(last)) quiet(next);
      throw last;
    });
    return next;
  }

  return(): Promise<Item<T>> {
    // When the loop is left by a throw, the language drops what this rejects with.
    return this._return(false);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** As `return`, for who is sure to hear what it rejects with. @internal */
  async _return(isHeard: boolean): Promise<Item<T>> {
    this.#isLeft = true;
    if (!this.#isGuest) await this.#from._leave(isHeard);
    return END;
  }

  /** The loop is over because of `error`. Resolves to what it is to be told. */
  async #leftBy(error: unknown): Promise<unknown> {
    if (this.#isGuest) return error;
    const isCancellation = isCancelled(error);
    try {
      await this.#from._leave(isCancellation);
    } catch (failure) {
      // It wins over a cancellation. Over another error it does not, so it counts as not heard.
      if (isCancellation) return failure;
    }
    return error;
  }
}
