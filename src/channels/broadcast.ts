/// <reference lib="esnext.disposable" preserve="true" />

import { describe } from "../kernel/describe.js";
import { ClosedResourceError, UsageError, WouldBlock } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, enlistIn, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { requireCount } from "../sync/require-count.js";
import { BroadcastLog } from "./broadcast-log.js";
import { Subscription } from "./broadcast-subscription.js";

/**
 * What happens when a subscriber has `capacity` items to read and another one is sent: `"block"`: the sender waits for it; `"dropOldest"`: it loses the
 * oldest one, and counts it; `"fail"`: it is cut off, and its `receive` throws.
 */
export type SlowPolicy = "block" | "dropOldest" | "fail";

export interface BroadcastOptions {
  /** How many items a subscriber may be behind: a whole number from 1, or `Infinity`. */
  readonly capacity: number;
  readonly onSlow: SlowPolicy;
}

export interface BroadcastStatistics {
  /** How many subscriptions are open, and not cut off. */
  readonly subscribers: number;
  /** How many items the slowest subscriber has to read. */
  readonly currentBufferUsed: number;
  readonly maxBufferSize: number;
  readonly tasksWaitingSend: number;
}

/**
 * Sends items to everybody who has subscribed: each subscriber gets each item that is sent after its subscription, all in the same order.
 *
 * An item is sent when its `send` is over, to all subscribers at that instant, at once: a `send` that was cancelled has reached nobody. With no
 * subscriber it goes nowhere. The items are kept once for all, until the slowest one has read them: sending takes no time for those who do not wait.
 *
 * Pitfall: with `"block"`, a subscription that nobody reads, and nobody has closed, holds up everybody. Open it with `using`, or iterate over it.
 *
 * Source: tokio's `sync::broadcast`, Kotlin's `MutableSharedFlow`; Trio has none.
 *
 * @throws RangeError, TypeError for a wrong capacity; UsageError for a policy that there is not
 * @example
 * const prices = new Broadcast<Price>({ capacity: 16, onSlow: "dropOldest" });
 * nursery.startSoon(async () => {
 *   for await (const price of prices.subscribe()) draw(price);
 * });
 * await prices.send(price);
 */
export class Broadcast<T> implements Disposable {
  readonly #capacity: number;
  readonly #onSlow: SlowPolicy;
  /** @internal */
  readonly _log = new BroadcastLog<T>();
  /** Those who want to send. Somebody waits here only while a subscriber has as much to read as it may. */
  readonly #senders: WaitQueue<void, T> = new WaitQueue("send", this);
  /** Subscriptions on which somebody waits to receive, in the order in which they began to. @internal */
  readonly _hungry = new Set<Subscription<T>>();
  #subscribers = 0;
  #isClosed = false;

  constructor(options: BroadcastOptions) {
    const { capacity, onSlow } = options;
    this.#capacity = requireCount(capacity, "the capacity of a broadcast", true);
    if (capacity === 0)
      throw new RangeError("the capacity of a broadcast is at least 1: a subscriber has to be able to be one item behind");
    if (onSlow !== "block" && onSlow !== "dropOldest" && onSlow !== "fail") {
      throw new UsageError(`\`onSlow\` of a broadcast is "block", "dropOldest" or "fail", not ${describe(onSlow)}`);
    }
    this.#onSlow = onSlow;
  }

  /**
   * A new subscriber: it gets what is sent from now on, also what waits to be sent. Whoever subscribes closes it, best with `using` or by a loop.
   *
   * @throws ClosedResourceError if the broadcast is closed
   */
  subscribe(): Subscription<T> {
    if (this.#isClosed) throw closed("be subscribed to");
    this.#subscribers++;
    return new Subscription(this, this._log.enter());
  }

  /**
   * Sends an item to all subscribers. A full checkpoint. Waits only with `"block"`, until the slowest subscriber has room for it; senders are served in order
   * of arrival. A cancelled `send` has reached nobody; one that was done before the cancellation has reached all, and does not throw.
   *
   * @throws ClosedResourceError if the broadcast is closed, also meanwhile
   */
  send(value: T, scope?: Cancellable): Promise<void> {
    return operate(scope, sendIn<T>, this, value);
  }

  /**
   * Sends if that needs no wait. No checkpoint.
   *
   * @throws WouldBlock if a subscriber has no room for it, with `"block"`
   * @throws ClosedResourceError if the broadcast is closed
   */
  sendNowait(value: T): void {
    if (!this._trySend(value)) throw new WouldBlock("a subscriber has as many items to read as it may");
  }

  /** `send(value)` as one of the cases of a `select`. */
  sending(value: T): Selectable<void> {
    const alternative: Alternative<void> = {
      isReady: () => this.#isClosed || !this.#isHeldUp,
      take: () => void this._trySend(value),
      enlist: (choice) => enlistIn(this.#senders, value, choice),
    };
    return { [selectable]: () => alternative };
  }

  /**
   * Nothing more is sent: subscribers read what is left, then get the end. Calls of `send` that wait throw `ClosedResourceError`. Idempotent, no checkpoint.
   */
  close(): void {
    this.#isClosed = true;
    this.#senders.failAll(closed("send"));
    for (const subscription of this._hungry) subscription._endWaits();
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  statistics(): BroadcastStatistics {
    return {
      subscribers: this.#subscribers,
      currentBufferUsed: this._log.size,
      maxBufferSize: this.#capacity,
      tasksWaitingSend: this.#senders.size,
    };
  }

  /** Whether those who fall behind are cut off. @internal */
  get _isStrict(): boolean {
    return this.#onSlow === "fail";
  }

  /** @internal */
  _send(scope: CancelScope, value: T): Promise<void> {
    return this._trySend(value) ? scope._runtime.pause(scope, "send", this) : this.#senders.wait(scope, value);
  }

  /** False if it would have to wait. @internal */
  _trySend(value: T): boolean {
    if (this.#isClosed) throw closed("send");
    if (this.#isHeldUp) return false;
    if (this.#isFull) {
      if (this.#onSlow === "fail") this.#subscribers -= this._log.shed();
      else this._log.skip();
    }
    this.#put(value);
    return true;
  }

  /** A subscriber has read, or has gone. @internal */
  _moved(): void {
    this._log.trim();
    for (let sender = this.#senders.first; sender !== undefined && !this.#isFull; sender = this.#senders.first) {
      this.#put(sender.what);
      sender.wake();
    }
  }

  /** @internal */
  _unsubscribed(): void {
    this.#subscribers--;
    this._moved();
  }

  get #isFull(): boolean {
    return this._log.size >= this.#capacity;
  }

  get #isHeldUp(): boolean {
    return this.#onSlow === "block" && this.#isFull;
  }

  /** Those who wait get it at once; they have nothing else to read. */
  #put(value: T): void {
    this._log.put(value);
    // One that is served may take another one away: both may be cases of the same `select`.
    for (const subscription of this._hungry) subscription._hand(value);
    this._log.trim();
  }
}

function sendIn<T>(scope: CancelScope, broadcast: Broadcast<T>, value: T): Promise<void> {
  return broadcast._send(scope, value);
}

function closed(op: string): ClosedResourceError {
  return new ClosedResourceError(`this broadcast is closed, so it cannot ${op} any more`);
}
