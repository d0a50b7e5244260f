import type { Cancelled } from "../kernel/cancelled.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Named, Task } from "../kernel/task.js";
import { Feed } from "./feed.js";
import { Gathering } from "./gathering.js";
import type { ItemFunction, ItemSource } from "./item-source.js";
import { Lane } from "./lane.js";
import { isSelfCancelled } from "./self-cancelled.js";

/** Items at work: their tasks are in its nursery, and what they are read from. Over when its lanes are. */
export abstract class Mapping<R> extends Gathering<R> {
  readonly fn: ItemFunction<unknown, unknown>;
  /** The names of its items. */
  readonly label: Named;
  readonly #concurrency: number;
  /** An array is read without an iterator. */
  readonly array: readonly unknown[] | undefined;
  readonly #feed: Feed | undefined;
  /** How many items have been handed to lanes. */
  begun = 0;
  /** Whether a lane may take the next item of the array without more ado. */
  isSimple = false;
  isProduction = false;
  #lanes = 0;
  /** Items whose end is not that of their function: they left something behind, or have no value. With the lanes that wait for them. */
  readonly lingering = new Map<Task, Lane>();

  constructor(caller: string, source: ItemSource<unknown>, fn: ItemFunction<never, unknown>, concurrency: number) {
    super(caller);
    this.fn = fn as ItemFunction<unknown, unknown>;
    this.label = new ItemLabel(fn);
    this.#concurrency = concurrency;
    this.array = isPlainArray(source) ? source : undefined;
    this.#feed = this.array === undefined ? new Feed(source, this as Mapping<unknown>) : undefined;
  }

  /** An item has a value. */
  abstract done(index: number, value: unknown): void;

  /** An item was cancelled by its own scope, so it has none. */
  protected abstract gaveUp(item: Task): void;

  runIn(scope: CancelScope): Promise<R> {
    this.nursery._enter(scope);
    this.beginLanes();
    return this.settled(scope);
  }

  /** Its nursery has been entered. */
  beginLanes(): void {
    this.isProduction = this.nursery._runtime === productionRuntime;
    this.#feed?.open();
    this.#addLane();
  }

  /** Whether a lane that has nothing to do begins with the next item at once. */
  protected get isEager(): boolean {
    return true;
  }

  /** Whether there are no more items. */
  protected get isSourceOver(): boolean {
    return this.array === undefined ? (this.#feed as Feed).isExhausted : this.begun >= this.array.length;
  }

  /** A lane has nothing to do. */
  serve(lane: Lane): void {
    const { nursery, array } = this;
    if (this.isSourceOver) this.laneEnded();
    else if (nursery._reason !== undefined) this.cutOff(1, nursery._reason);
    else if (array === undefined) (this.#feed as Feed).pull(lane);
    else this.hand(lane, array[this.begun]);
  }

  /** A cancellation keeps so many lanes from going on, though there may be more items. */
  cutOff(lanes: number, reason: Cancelled): void {
    this.nursery._outcome.cancelled(reason);
    for (; lanes > 0; lanes--) this.laneEnded();
  }

  /** Hands the next item to a lane. */
  hand(lane: Lane, value: unknown): void {
    lane.hand(value, this.begun++);
  }

  /** An item is about to be worked on: the next one may get a lane of its own. */
  grow(): void {
    if (this.#lanes < this.#concurrency && this.begun !== this.array?.length) this.#addLane();
  }

  /** There is nothing left for a lane. */
  laneEnded(): void {
    const { nursery } = this;
    nursery._pending--;
    if (nursery._pending === 0) this.lanesOver();
  }

  /** No lane has anything to do any more. */
  protected lanesOver(): void {
    this.over();
  }

  /** The source has ended, or an item that lingered. */
  override ledTaskLeft(task: Task): void {
    if (task === this.#feed?.task) this.#feed.closed();
    else this.#itemEnded(task);
  }

  /** It is not over before its source is closed. */
  protected override over(): void {
    if (this.#feed === undefined) super.over();
    else this.#feed.close(() => super.over());
  }

  #itemEnded(item: Task): void {
    const lane = this.lingering.get(item);
    this.lingering.delete(item);
    if (item._state === "done") this.done(item._number - 1, item._result);
    else if (isSelfCancelled(item)) this.gaveUp(item);
    lane?.goOn();
  }

  #addLane(): void {
    const { nursery } = this;
    this.#lanes++;
    this.isSimple = this.isEager && this.#lanes === this.#concurrency;
    nursery._pending++;
    const lane = new Lane(this as Mapping<unknown>);
    void nursery._runtime.start(nursery).then(() => lane.begin(this.#feed?.task));
  }
}

/** Items are called after their function, whose name takes a while to read. */
class ItemLabel implements Named {
  readonly #fn: Named;

  constructor(fn: Named) {
    this.#fn = fn;
  }

  get name(): string {
    return this.#fn.name || "item";
  }
}

function isPlainArray(source: unknown): source is readonly unknown[] {
  return Array.isArray(source) && source[Symbol.iterator] === Array.prototype[Symbol.iterator];
}
