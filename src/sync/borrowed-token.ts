/// <reference lib="esnext.disposable" preserve="true" />

import { UsageError } from "../kernel/errors.js";
import type { CapacityLimiter } from "./capacity-limiter.js";

/**
 * A token of a `CapacityLimiter`, as `borrow()` resolves to it. It is its own borrower: whoever has it gives it back, in whatever task.
 *
 * Source: GovernorToken of the TC39 proposal for concurrency control.
 */
export class BorrowedToken implements Disposable {
  readonly #limiter: CapacityLimiter;

  /** @internal */
  constructor(limiter: CapacityLimiter) {
    this.#limiter = limiter;
  }

  /** Gives the token back. No checkpoint. @throws UsageError if it has been given back already */
  release(): void {
    if (!this.#limiter._giveBack(this)) throw new UsageError("this token of a limiter has been given back already");
  }

  /** Gives the token back at the end of the block, if it has not been given back before. */
  [Symbol.dispose](): void {
    this.#limiter._giveBack(this);
  }
}
