/** A wait in a queue, as its handler sees it. */
export interface HandledWait {
  readonly promise: Promise<unknown>;
  _endAs(outcome: unknown, failed: boolean, isBehind?: boolean): boolean;
  _endCancelled(reason: unknown): void;
}

/** What is special about waits in a queue, where something is: how they end, and what a cancellation means for them. */
export abstract class WaitHandler<W extends HandledWait = HandledWait> {
  get isCancellable(): boolean {
    return true;
  }

  /** The wait is to end with this outcome. Returns false if it is over already. */
  end(waiter: W, outcome: unknown, failed: boolean, isBehind: boolean): boolean {
    return waiter._endAs(outcome, failed, isBehind);
  }

  /** First half of a cancellation, which runs no code of the user. Returns whether the second half has to be called. */
  cancel(waiter: W, reason: unknown): boolean {
    waiter._endCancelled(reason);
    return false;
  }

  finishCancel(): void {}
}
