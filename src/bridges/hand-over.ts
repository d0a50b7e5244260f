import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, selectable } from "../kernel/selectable.js";
import { Waiter } from "../kernel/waiter.js";
import type { ReceiveEnd } from "./channel-ends.js";

/**
 * Receives an item on behalf of a stream: `take` is called at the very moment at which the item leaves the channel, in the middle of somebody else's
 * `send`, so that there is no time at which it is in neither. It must not run code of the user.
 */
export function handOver<T>(end: ReceiveEnd<T>, take: (item: T) => void, scope: CancelScope): Promise<void> {
  return operate(scope, handOverIn<T>, end, take);
}

function handOverIn<T>(scope: CancelScope, end: ReceiveEnd<T>, take: (item: T) => void): Promise<void> {
  const alternative = end[selectable]();
  if (!alternative.isReady(scope)) return new HandOver(end, take).begin(alternative, scope);
  take(alternative.take());
  return scope._runtime.pause(scope, "receive", end);
}

class HandOver<T> extends Waiter<void> implements Choice {
  readonly on: object;
  readonly #take: (item: T) => void;
  #enlisted: Enlisted | undefined = undefined;

  constructor(end: ReceiveEnd<T>, take: (item: T) => void) {
    super();
    this.on = end;
    this.#take = take;
  }

  get op(): string {
    return "receive";
  }

  begin(alternative: Alternative<T>, scope: CancelScope): Promise<void> {
    const promise = scope._park(this);
    this.#enlisted = alternative.enlist(this, scope);
    return promise;
  }

  override _end(outcome: unknown, failed: boolean): boolean {
    if (!super._end(failed ? outcome : undefined, failed)) return false;
    if (!failed) this.#take(outcome as T);
    return true;
  }

  override _forget(): void {
    this.#enlisted?.leave();
  }
}
