import type { EndOfChannel } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";
import { type HandledWait, WaitHandler } from "../kernel/wait-handler.js";
import { QueueWaiter, type WaitQueue } from "../kernel/wait-queue.js";
import { ItemIterator } from "./item-iterator.js";
import type { ValuesOptions } from "./memory-receive-channel.js";
import type { Item } from "./next-item.js";

/** What items come out of, one at a time. What is special about it says its subclass; how one waits for an item says this. */
export abstract class Receivable<out T> implements Selectable<T>, AsyncIterable<T> {
  /** Those who wait for an item, in order of arrival. Nobody does while it `_isReady`. @internal */
  abstract readonly _receivers: WaitQueue<Item<T>>;

  /** @internal */
  readonly _receiving: WaitHandler = new ReceiveHandler(this);

  /** Whether a receive would be over at once: with an item, the end, or an error. @internal */
  abstract _isReady(): boolean;

  /** The next item or the end, right after `_isReady` has said yes; or throws. @internal */
  abstract _take(): Item<T>;

  /** Somebody is about to wait. @internal */
  abstract _asked(): void;

  /** What a `receive` gets in place of an item when there are no more. @internal */
  abstract _endOfItems(): EndOfChannel;

  /** The loop over it is left. Rejects with what goes wrong then; `isHeard`: whether that is sure to be heard. @internal */
  abstract _leave(isHeard: boolean): Promise<void>;

  /**
   * Waits for the next item, and takes it. A full checkpoint, also if one is there. Receivers are served in order of arrival.
   * A cancelled `receive` has taken nothing; one that was done before the cancellation delivers its item.
   *
   * @throws EndOfChannel if there are no more
   * @throws ClosedResourceError if it is closed, also meanwhile
   */
  receive(scope?: Cancellable): Promise<T> {
    return operate(scope, receiveIn<T>, this);
  }

  /** Where a loop waits that was given these options. @internal */
  _whereOf(options: ValuesOptions | undefined): Cancellable | undefined {
    return options;
  }

  /**
   * Iterates as the object itself does, with options: the scope in which the loop waits, and whether leaving it early leaves the rest to others. Without
   * `preventCancel` it closes what it reads from, however it is left.
   *
   * @example for await (const row of rows.values({ preventCancel: true })) { if (isHeader(row)) break; }
   */
  values(options?: ValuesOptions): AsyncIterableIterator<T, undefined> {
    return new ItemIterator(this, this._whereOf(options), options?.preventCancel === true);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.values();
  }

  /** `select` takes it as one of its cases: it receives. */
  [selectable](): Alternative<T> {
    return new ReceivingItem(this);
  }

  /** As one of the cases of a `select`: receives, with the end as a result, `{ done: true }`, instead of an error. */
  get orEnd(): Selectable<Item<T>> {
    return { [selectable]: () => new ReceivingItemOrEnd(this) };
  }
}

function receiveIn<T>(scope: CancelScope, from: Receivable<T>): Promise<T> {
  if (from._isReady()) return scope._runtime.pause(scope, "receive", from, itemOf(from, from._take()));
  from._asked();
  const waiter = new QueueWaiter(from._receivers, undefined, from._receiving);
  from._receivers._append(waiter);
  return scope._park(waiter) as Promise<unknown> as Promise<T>;
}

export function itemOf<T>(from: Receivable<T>, item: Item<T>): T {
  if (item.done === true) throw from._endOfItems();
  return item.value;
}

/** Ends waits as `receive` tells it: the end is an error. */
class ReceiveHandler extends WaitHandler {
  readonly #from: Receivable<unknown>;

  constructor(from: Receivable<unknown>) {
    super();
    this.#from = from;
  }

  override end(waiter: HandledWait, outcome: unknown, failed: boolean, isBehind: boolean): boolean {
    if (failed) return waiter._endAs(outcome, true);
    const item = outcome as Item<unknown>;
    return item.done === true ? waiter._endAs(this.#from._endOfItems(), true) : waiter._endAs(item.value, false, isBehind);
  }
}

class ReceivingItemOrEnd<T> implements Alternative<Item<T>> {
  readonly #from: Receivable<T>;

  constructor(from: Receivable<T>) {
    this.#from = from;
  }

  isReady(): boolean {
    return this.#from._isReady();
  }

  take(): Item<T> {
    return this.#from._take();
  }

  enlist(choice: Choice): Enlisted {
    this.#from._asked();
    return enlistIn(this.#from._receivers, undefined, choice);
  }
}

class ReceivingItem<T> implements Alternative<T> {
  readonly #from: Receivable<T>;

  constructor(from: Receivable<T>) {
    this.#from = from;
  }

  isReady(): boolean {
    return this.#from._isReady();
  }

  take(): T {
    return itemOf(this.#from, this.#from._take());
  }

  enlist(choice: Choice): Enlisted {
    const from = this.#from;
    return new ReceivingItemOrEnd(from).enlist({
      promise: choice.promise,
      wake: (item) => ((item as Item<T>).done === true ? choice.fail(from._endOfItems()) : choice.wake((item as Item<T>).value)),
      fail: (error) => choice.fail(error),
    });
  }
}
