import type { Making } from "../channels/produced.js";
import type { Cancelled } from "../kernel/cancelled.js";
import { dispose, isDisposable } from "../kernel/dispose.js";
import { release } from "../kernel/lookup.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import type { Task } from "../kernel/task.js";
import { PlainWaiter, type Waiter } from "../kernel/waiter.js";
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
    this.nursery._enter(parent);
    this.#watch = new Watch(this.nursery, () => this.#interrupted());
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
    return this.#areLanesOver && this.nursery._reason === undefined && this.#plan.outbox.isEmpty;
  }

  get interruption(): Cancelled | undefined {
    return this.nursery._reason;
  }

  get failure(): { readonly error: unknown } | undefined {
    const outcome = this.nursery._rare?.outcome;
    return outcome?.hasFailed ? { error: outcome.error(this.nursery) } : undefined;
  }

  protected override get isEager(): boolean {
    return false;
  }

  override serve(lane: Lane): void {
    if (this.isSourceOver || this.nursery._reason !== undefined || this.#onTheirWay < this.#plan.window) {
      this.#onTheirWay++;
      super.serve(lane);
      return;
    }
    const waiter = new PlainWaiter("wait for room", undefined);
    this.#idle.push(waiter);
    lane.goOn((this.#watch as Watch).task._park(waiter as Waiter<unknown>) as Promise<void>);
  }

  override done(index: number, value: unknown): void {
    this.#plan.outbox.put(index, value as R);
    // Not over yet, whatever is taken: the lane has still to find that there are no more items.
    if (this.nursery._reason === undefined) this.#listener.onResult();
  }

  protected override gaveUp(item: Task): void {
    this.nursery._failed(item._cancelledError());
  }

  protected override lanesOver(): void {
    this.#areLanesOver = true;
    if (this.nursery._reason !== undefined || this.#plan.outbox.isEmpty) this.#finish();
  }

  override result(): void {}

  /** A failure is told as that of whoever asks for the next result, so it comes as it is, also where groups are asked for. */
  override get mayGroup(): boolean {
    return false;
  }

  override get hasLost(): boolean {
    return this.nursery._reason !== undefined && !this.#plan.outbox.isEmpty;
  }

  override disposeLost(): void {
    if (!this.hasLost) return;
    for (const result of new Set(this.#plan.outbox.clear())) if (isDisposable(result)) this.nursery.defer(() => dispose(result));
  }

  override nurseryEnds(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.onEnd();
  }

  protected override hasSettled(): void {
    release(this.nursery._parent as ScopeNode);
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
    this.over();
  }
}
