import { isCancelled } from "../kernel/cancelled.js";
import { CALLED, FLOATING } from "../kernel/flags.js";
import { Nursery } from "../kernel/nursery.js";
import { quiet } from "../kernel/quiet.js";
import { leaveAndEnd } from "../kernel/run-scope.js";
import type { CancelScope } from "../kernel/scope.js";
import { Waiter } from "../kernel/waiter.js";

/**
 * The nursery of a combinator: a `Group` of functions, or a `Mapping` of items. It has no body: it is over when its tasks are, and then settles what the
 * combinator returned. The usual end, with nothing to clean up and nothing to throw, takes no async function, and no promise but that one.
 */
export abstract class Gathering<R> extends Nursery {
  readonly #caller: string;
  #waiter: GatheringWaiter<R> | undefined = undefined;

  /** `caller` is the combinator, for names and reports. */
  constructor(caller: string) {
    super();
    this.#caller = caller;
  }

  override get name(): string {
    return this.#caller;
  }

  /** What the combinator returns when everything has ended and nothing went wrong; or throws. @internal */
  abstract _result(): R;

  /** What settles when everything in it has ended. @internal */
  _settled(scope: CancelScope): Promise<R> {
    this.#waiter = new GatheringWaiter<R>(this.#caller);
    return scope._park(this.#waiter);
  }

  /** Its tasks have ended. @internal */
  _over(): void {
    if (this._isOccupied || this._hasCleanups || this._rare?.outcome !== undefined) void this._leaveAll();
    else this._settle();
  }

  /** @internal */
  async _leaveAll(): Promise<void> {
    try {
      await leaveAndEnd(this);
      // It was left together with the scope around it, so its result, if it had one, was disposed.
      if ((this._flags & FLOATING) !== 0 && this._reason !== undefined) throw this._reason;
      this._settle();
    } catch (error) {
      this._reject(error);
    }
  }

  /** @internal */
  _settle(): void {
    this._end();
    let result: R;
    try {
      result = this._result();
    } catch (error) {
      this._reject(error);
      return;
    }
    this.#waiter?.wake(result);
  }

  /** @internal */
  _reject(error: unknown): void {
    if (isCancelled(error)) quiet(this.#waiter?.promise);
    this.#waiter?.fail(error);
  }

  /** Whether it will throw, as things stand, or has nobody to whom it could return anything. @internal */
  get _isForfeited(): boolean {
    if ((this._flags & FLOATING) !== 0) return true;
    const outcome = this._rare?.outcome;
    if (outcome === undefined || outcome.isClean) return false;
    return outcome.hasFailed || (this._flags & CALLED) === 0 || this._isCancelledOutside;
  }
}

/** Waits for the end of a gathering, in the scope around it, whatever is cancelled. */
class GatheringWaiter<R> extends Waiter<R> {
  readonly op: string;

  constructor(op: string) {
    super();
    this.op = op;
  }

  get on(): undefined {
    return undefined;
  }

  override get isCancellable(): boolean {
    return false;
  }
}
