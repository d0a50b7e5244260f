import type { ScopeNode } from "../kernel/scope-node.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import type { Item } from "./next-item.js";
import { RingBuffer } from "./ring-buffer.js";

/**
 * Where items pass from those who make them to those who want them: nothing is made before somebody wants it, and whoever has made something that
 * nobody wants any more keeps it until somebody does. At most `capacity` items are made ahead.
 */
export class Supply<T> {
  readonly #capacity: number;
  readonly #isShared: boolean;
  readonly #buffer = new RingBuffer<T>();
  /** Somebody waits here only while no item is to be had. */
  readonly receivers: WaitQueue<Item<T>>;
  /** Makers who wait to be wanted. */
  readonly #idle: WaitQueue;
  /** Makers who have an item that there is no room for. */
  readonly #offering: WaitQueue<void, T>;

  /** @param isShared whether there may be several makers */
  constructor(capacity: number, isShared: boolean, on: object) {
    this.#capacity = capacity;
    this.#isShared = isShared;
    this.receivers = new WaitQueue("receive", on);
    this.#idle = new WaitQueue("wait to be asked", on);
    this.#offering = new WaitQueue("wait to be received", on);
  }

  get isEmpty(): boolean {
    return this.#buffer.size === 0 && this.#offering.first === undefined;
  }

  get #isWanting(): boolean {
    return this.receivers.first !== undefined || this.#buffer.size < this.#capacity;
  }

  /** The oldest item. The caller knows that it is not empty. */
  take(): T {
    const maker = this.#offering.first;
    if (this.#buffer.size === 0) {
      // Without a buffer: from hand to hand.
      const { what } = maker as { what: T };
      maker?.wake();
      return what;
    }
    const item = this.#buffer.shift();
    if (maker === undefined) this.ask();
    else {
      this.#buffer.push(maker.what);
      maker.wake();
    }
    return item;
  }

  /** Has the idle makers look again whether they are wanted. */
  ask(): void {
    this.#idle.wakeAll();
  }

  /**
   * For a maker: waits until an item is wanted, if it was not asked for one before, or that scope is cancelled. A checkpoint also where it need not wait.
   *
   * Of several makers, each that was asked makes one, though another may have been faster: those that are always ready would keep all others from being heard.
   * A single one looks again: who wanted the item may have gone.
   */
  async wanted(scope: ScopeNode, wasAsked: boolean): Promise<void> {
    try {
      do {
        if (scope._refusal() !== undefined) return;
        const isReady = wasAsked || this.#isWanting;
        await (isReady ? scope._runtime.pause(scope, this.#idle.op, this.#idle.on) : this.#idle.wait(scope, undefined));
      } while (!this.#isShared && !this.#isWanting);
    } catch {
      // Cancelled: whoever asked looks at its scope.
    }
  }

  /** For a maker: hands an item over, and waits until that is possible, or that scope is cancelled; then nobody gets it. */
  give(scope: ScopeNode, item: T): Promise<void> | undefined {
    if (scope._refusal() !== undefined) return undefined;
    const receiver = this.receivers.first;
    if (receiver !== undefined) receiver.wake({ done: false, value: item });
    else if (this.#buffer.size < this.#capacity) this.#buffer.push(item);
    else return this.#offering.wait(scope, item).catch(ignore);
    return undefined;
  }

  /** What was made and not received is dropped. */
  drop(): void {
    this.#buffer.clear();
  }
}

function ignore(): void {}
