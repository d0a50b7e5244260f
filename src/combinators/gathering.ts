import { isCancelled } from "../kernel/cancelled.js";
import { CALLED, FLOATING } from "../kernel/flags.js";
import { Leader } from "../kernel/leader.js";
import { quiet } from "../kernel/quiet.js";
import { leaveAndEnd } from "../kernel/run-scope.js";
import type { CancelScope } from "../kernel/scope.js";
import { PlainWaiter } from "../kernel/waiter.js";

/**
 * A combinator at work: a `Group` of functions, or a `Mapping` of items. Its nursery has no body: it is over when its tasks are, and then what the combinator
 * returned settles. The usual end, with nothing to clean up and nothing to throw, takes no async function, and no promise but that one.
 */
export abstract class Gathering<R> extends Leader {
  /** Waits in the scope around it, whatever is cancelled. */
  #waiter: PlainWaiter<R> | undefined = undefined;

  /** What the combinator returns when everything has ended and nothing went wrong; or throws. */
  abstract result(): R;

  /** What settles when everything in it has ended. */
  protected settled(scope: CancelScope): Promise<R> {
    this.#waiter = new PlainWaiter<R>(this.caller, undefined);
    return scope._park(this.#waiter);
  }

  /** Its tasks have ended. */
  protected over(): void {
    const { nursery } = this;
    if (nursery._isOccupied || nursery._hasCleanups || nursery._rare?.outcome !== undefined) void this.#leaveAll();
    else this.#settle();
  }

  /** It has settled. */
  protected hasSettled(): void {}

  async #leaveAll(): Promise<void> {
    const { nursery } = this;
    try {
      await leaveAndEnd(nursery);
      // It was left together with the scope around it, so its result, if it had one, was disposed.
      if ((nursery._flags & FLOATING) !== 0 && nursery._reason !== undefined) throw nursery._reason;
      this.#settle();
    } catch (error) {
      this.#reject(error);
    }
  }

  #settle(): void {
    this.nurseryEnds();
    this.nursery._end();
    let result: R;
    try {
      result = this.result();
    } catch (error) {
      this.#reject(error);
      return;
    }
    this.#waiter?.wake(result);
    this.hasSettled();
  }

  #reject(error: unknown): void {
    if (isCancelled(error)) quiet(this.#waiter?.promise);
    this.#waiter?.fail(error);
    this.hasSettled();
  }

  /** Whether it will throw, as things stand, or has nobody to whom it could return anything. */
  protected get isForfeited(): boolean {
    const { nursery } = this;
    if ((nursery._flags & FLOATING) !== 0) return true;
    const outcome = nursery._rare?.outcome;
    if (outcome === undefined || outcome.isClean) return false;
    return outcome.hasFailed || (nursery._flags & CALLED) === 0 || nursery._isCancelledOutside;
  }
}
