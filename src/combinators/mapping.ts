import type { Cancelled } from "../kernel/cancelled.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Feed } from "./feed.js";
import { Gathering } from "./gathering.js";
import type { Item } from "./item.js";
import type { ItemFunction, ItemSource } from "./item-source.js";
import { Lane } from "./lane.js";
import { isSelfCancelled } from "./self-cancelled.js";

/** The nursery in which items are worked on: their tasks are in it, and what they are read from. Over when its lanes are. */
export abstract class Mapping<R> extends Gathering<R> {
  /** @internal */
  readonly _fn: ItemFunction<unknown, unknown>;
  readonly #concurrency: number;
  /** An array is read without an iterator. @internal */
  readonly _array: readonly unknown[] | undefined;
  readonly #feed: Feed | undefined;
  /** How many items have been handed to lanes. @internal */
  _begun = 0;
  /** Whether a lane may take the next item of the array without more ado. @internal */
  _isSimple = false;
  /** @internal */
  _isProduction = false;
  #lanes = 0;
  /** Items whose end is not that of their function: they left something behind, or have no value. With the lanes that wait for them. @internal */
  readonly _lingering = new Map<Item, Lane>();

  constructor(caller: string, source: ItemSource<unknown>, fn: ItemFunction<never, unknown>, concurrency: number) {
    super(caller);
    this._fn = fn as ItemFunction<unknown, unknown>;
    this.#concurrency = concurrency;
    this._array = isPlainArray(source) ? source : undefined;
    this.#feed = this._array === undefined ? new Feed(source, this as Mapping<unknown>) : undefined;
  }

  /** For the names of its items. @internal */
  get _label(): string {
    return this._fn.name || "item";
  }

  /** How many items there are, if that is known. @internal */
  get _length(): number | undefined {
    return this._array?.length;
  }

  /** A lingering item has ended. @internal */
  _itemEnded(item: Item): void {
    const lane = this._lingering.get(item);
    this._lingering.delete(item);
    if (item._state === "done") this._done(item._number - 1, item._result);
    else if (isSelfCancelled(item)) this._gaveUp(item);
    lane?.goOn();
  }

  /** An item has a value. @internal */
  abstract _done(index: number, value: unknown): void;

  /** An item was cancelled by its own scope, so it has none. @internal */
  abstract _gaveUp(item: Item): void;

  /** @internal */
  _runIn(scope: CancelScope): Promise<R> {
    this._enter(scope);
    this._beginLanes();
    return this._settled(scope);
  }

  /** It has been entered. @internal */
  _beginLanes(): void {
    this._isProduction = this._runtime === productionRuntime;
    this.#feed?.open();
    this.#addLane();
  }

  /** Whether a lane that has nothing to do begins with the next item at once. @internal */
  get _isEager(): boolean {
    return true;
  }

  /** Whether there are no more items. @internal */
  get _isSourceOver(): boolean {
    return this._array === undefined ? (this.#feed as Feed).isExhausted : this._begun >= this._array.length;
  }

  /** A lane has nothing to do. @internal */
  _serve(lane: Lane): void {
    if (this._isSourceOver) this._laneEnded();
    else if (this._reason !== undefined) this._cutOff(1, this._reason);
    else if (this._array === undefined) (this.#feed as Feed).pull(lane);
    else this._hand(lane, this._array[this._begun]);
  }

  /** A cancellation keeps so many lanes from going on, though there may be more items. @internal */
  _cutOff(lanes: number, reason: Cancelled): void {
    this._outcome.cancelled(reason);
    for (; lanes > 0; lanes--) this._laneEnded();
  }

  /** Hands the next item to a lane. @internal */
  _hand(lane: Lane, value: unknown): void {
    lane.hand(value, this._begun++);
  }

  /** An item is about to be worked on: the next one may get a lane of its own. @internal */
  _grow(): void {
    if (this.#lanes < this.#concurrency && this._begun !== this._array?.length) this.#addLane();
  }

  /** There is nothing left for a lane. @internal */
  _laneEnded(): void {
    this._pending--;
    if (this._pending === 0) this._lanesOver();
  }

  /** No lane has anything to do any more. @internal */
  _lanesOver(): void {
    this._over();
  }

  #addLane(): void {
    this.#lanes++;
    this._isSimple = this._isEager && this.#lanes === this.#concurrency;
    this._pending++;
    const lane = new Lane(this as Mapping<unknown>);
    void this._runtime.start<Mapping<R>>(this).then(() => lane.begin(this.#feed));
  }

  /** It is the lanes that count. @internal */
  override _forget(_item: ScopeNode): void {}

  /** What becomes of the values is not for the kernel to say. @internal */
  override _keepUndelivered(): void {}

  /** It is not over before its source is closed. @internal */
  override _over(): void {
    if (this.#feed === undefined) super._over();
    else this.#feed.close(() => super._over());
  }
}

function isPlainArray(source: unknown): source is readonly unknown[] {
  return Array.isArray(source) && source[Symbol.iterator] === Array.prototype[Symbol.iterator];
}
