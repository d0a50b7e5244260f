import { type Queued, WaitQueue } from "../kernel/wait-queue.js";

/** Waiters in order of arrival, no two for the same task or borrower: one that waited twice could wait for itself. */
export class DistinctQueue<W, T = void> extends WaitQueue<T, W> {
  readonly #present: Set<W>;

  /** @param beside a queue with which it has no one in common: who waits in one of them waits in no other */
  constructor(op: string, on: object, beside?: DistinctQueue<W>) {
    super(op, on);
    this.#present = beside === undefined ? new Set() : beside.#present;
  }

  /** Whether `who` waits in it, or in a queue beside it. */
  has(who: W): boolean {
    return this.#present.has(who);
  }

  override _append(waiter: Queued<T, W>): void {
    super._append(waiter);
    this.#present.add(waiter.what);
  }

  override _remove(waiter: Queued<T, W>): void {
    super._remove(waiter);
    this.#present.delete(waiter.what);
  }
}
