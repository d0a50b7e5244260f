import { LedWaiter } from "./led-waiter.js";
import type { Waiter } from "./waiter.js";

/** Something that is waited for in a way of its own. What is said of the methods of `Waiter` holds for those of the same meaning here. */
export abstract class Operation<T> {
  readonly waiter: Waiter<T> = new LedWaiter<T>(this);

  abstract get op(): string;
  abstract get on(): object | undefined;

  get isCancellable(): boolean {
    return true;
  }

  get isForeign(): boolean {
    return false;
  }

  /** Takes it out of whatever would wake it. Must not run code of the user. */
  forget(): void {}

  /** First half of a cancellation, which runs no code of the user. Returns whether the second half has to be called. */
  cancel(reason: unknown): boolean {
    this.waiter._endCancelled(reason);
    return false;
  }

  finishCancel(_reason: unknown): void {}
}
