import type { Making } from "../channels/produced.js";
import type { Cancelled } from "../kernel/cancelled.js";
import { dispose, isDisposable } from "../kernel/dispose.js";
import { release } from "../kernel/lookup.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import type { Awaitable } from "../kernel/types.js";
import { PlainWaiter, type Waiter } from "../kernel/waiter.js";
import type { Item } from "./item.js";
import type { ItemFunction, ItemSource } from "./item-source.js";
import type { Lane } from "./lane.js";
import { Mapping } from "./mapping.js";
import type { Outbox } from "./outbox.js";
import { Watch } from "./watch.js";

export interface StreamPlan<R> {
  readonly items: ItemSource<unknown>;
  readonly fn: ItemFunction<never, unknown>;
  readonly concurrency: number;
  /** How many items are on their way at most. */
  readonly window: number;
  readonly outbox: Outbox<R>;
}

/** What a stream hears of its mapping. */
export interface StreamListener {
  /** There may be a result to hand out. */
  readonly onResult: () => void;
  /** Everything in the mapping has ended. It still has its place in the tree, so the scope around it has not. */
  readonly onEnd: () => void;
}

/** The mapping of a stream: as many items are on their way as the window admits, and it lasts until all results have been handed out. */
export class StreamMapping<R> extends Mapping<void> implements Making {
  readonly #plan: StreamPlan<R>;
  readonly #listener: StreamListener;
  /** How many items have been asked for and not handed out. */
  #onTheirWay = 0;
  /** Lanes that wait until another item is admitted. */
  readonly #idle: PlainWaiter[] = [];
  #watch: Watch | undefined = undefined;
  #areLanesOver = false;
  #isFinishing = false;
  #hasEnded = false;

  constructor(plan: StreamPlan<R>, listener: StreamListener) {
    super("mapStream", plan.items, plan.fn, plan.concurrency);
    this.#plan = plan;
    this.#listener = listener;
  }

  /** Enters it below `parent`, which is let go in the end, if it was made for this. */
  open(parent: ScopeNode): void {
    this._enter(parent);
    this.#watch = new Watch(this, () => this.#interrupted());
  }

  /** The next result, which is ready. */
  take(): R {
    const result = this.#plan.outbox.take();
    this.#onTheirWay--;
    this.#idle.pop()?.wake();
    if (this.isComplete) this.#finish();
    return result;
  }

  /** Whether all results have been handed out. */
  get isComplete(): boolean {
    return this.#areLanesOver && this._reason === undefined && this.#plan.outbox.isEmpty;
  }

  get interruption(): Cancelled | undefined {
    return this._reason;
  }

  get failure(): { readonly error: unknown } | undefined {
    const outcome = this._rare?.outcome;
    return outcome?.hasFailed ? { error: outcome.error(this) } : undefined;
  }

  /** @internal */
  override get _isEager(): boolean {
    return false;
  }

  /** @internal */
  override _serve(lane: Lane): void {
    if (this._isSourceOver || this._reason !== undefined || this.#onTheirWay < this.#plan.window) {
      this.#onTheirWay++;
      super._serve(lane);
      return;
    }
    const waiter = new PlainWaiter("wait for room", undefined);
    this.#idle.push(waiter);
    lane.goOn((this.#watch as Watch)._park(waiter as Waiter<unknown>) as Promise<void>);
  }

  override _done(index: number, value: unknown): void {
    this.#plan.outbox.put(index, value as R);
    // Not over yet, whatever is taken: the lane has still to find that there are no more items.
    if (this._reason === undefined) this.#listener.onResult();
  }

  override _gaveUp(item: Item): void {
    this._failed(item._cancelledError());
  }

  override _lanesOver(): void {
    this.#areLanesOver = true;
    if (this._reason !== undefined || this.#plan.outbox.isEmpty) this.#finish();
  }

  override _result(): void {}

  /** A failure is told as that of whoever asks for the next result, so it comes as it is, also where groups are asked for. @internal */
  override get _isGrouping(): boolean {
    return false;
  }

  /** @internal */
  override get _hasCleanups(): boolean {
    return this._hasLeftovers || super._hasCleanups;
  }

  /** Results that nobody gets are disposed. @internal */
  override _takeCleanup(): ((scope: never) => Awaitable<unknown>) | undefined {
    if (this._hasLeftovers)
      for (const result of new Set(this.#plan.outbox.clear())) if (isDisposable(result)) this.defer(() => dispose(result));
    return super._takeCleanup();
  }

  get _hasLeftovers(): boolean {
    return this._reason !== undefined && !this.#plan.outbox.isEmpty;
  }

  /** @internal */
  override _leave(): Promise<void> | undefined {
    const leaving = super._leave();
    if (leaving === undefined) this.#tellEnd();
    return leaving;
  }

  /** @internal */
  override _settle(): void {
    this.#tellEnd();
    super._settle();
    release(this._parent as ScopeNode);
  }

  /** @internal */
  override _reject(): void {
    release(this._parent as ScopeNode);
  }

  #tellEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.onEnd();
  }

  /** Cancelled: lanes that wait for room have nothing to wait for. */
  #interrupted(): void {
    this.#wakeIdle();
    if (this.#areLanesOver) this.#finish();
  }

  #wakeIdle(): void {
    for (const waiter of this.#idle.splice(0)) waiter.wake();
  }

  #finish(): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#watch?.stop();
    this._over();
  }
}
