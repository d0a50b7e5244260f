import type { Operation } from "./operation.js";
import { Waiter } from "./waiter.js";

/** The wait of an operation that says for itself what a cancellation means for it. One class for all of them, see docs/decisions/27. */
export class LedWaiter<T> extends Waiter<T> {
  /** @internal */
  readonly _operation: Operation<T>;

  constructor(operation: Operation<T>) {
    super();
    this._operation = operation;
  }

  get op(): string {
    return this._operation.op;
  }

  get on(): object | undefined {
    return this._operation.on;
  }

  override get isCancellable(): boolean {
    return this._operation.isCancellable;
  }

  override get isForeign(): boolean {
    return this._operation.isForeign;
  }

  override _forget(): void {
    this._operation.forget();
  }

  override _cancel(reason: unknown): boolean {
    return this._operation.cancel(reason);
  }

  override _finishCancel(reason: unknown): void {
    this._operation.finishCancel(reason);
  }
}
