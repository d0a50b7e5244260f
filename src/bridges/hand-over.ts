import { operate } from "../kernel/lookup.js";
import { Operation } from "../kernel/operation.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, selectable } from "../kernel/selectable.js";
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

class HandOver<T> extends Operation<void> implements Choice {
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
    const promise = scope._park(this.waiter);
    this.#enlisted = alternative.enlist(this, scope);
    return promise;
  }

  get promise(): Promise<void> {
    return this.waiter.promise;
  }

  wake(item: unknown): boolean {
    if (!this.waiter.wake()) return false;
    this.#take(item as T);
    return true;
  }

  fail(error: unknown): boolean {
    return this.waiter.fail(error);
  }

  override forget(): void {
    this.#enlisted?.leave();
  }
}
