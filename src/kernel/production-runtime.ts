import { Clock } from "./clock.js";
import { nextTurn } from "./next-turn.js";
import type { Runtime, Timer } from "./runtime.js";
import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

/** Milliseconds without a turn of the event loop, after which what goes on waits for one, so that timers and I/O are not starved. */
const LONGEST_TURN = 10;
/** Reading the clock costs as much as a checkpoint, so while they come fast it is read at every 16th. */
const FASTEST = 16;
const done: Promise<never> = Promise.resolve() as Promise<never>;

/** Real time, and every wake-up at once, in the order in which they are decided. */
class ProductionRuntime implements Runtime {
  readonly #clock = new Clock();
  /** While a turn of the event loop is being taken, what would go on meanwhile, in order: whatever did not wait would keep the turn from coming. */
  #held: (() => void)[] | undefined = undefined;
  /** Wake-ups that let their caller go on first, and what is decided after them: in order, on the next microtask. */
  #behind: (() => void)[] | undefined = undefined;
  readonly #onBehind = () => {
    const behind = this.#behind as (() => void)[];
    this.#behind = undefined;
    for (const goOn of behind) goOn();
  };
  #turnAt = 0;
  #readAt = 0;
  #untilRead = 1;
  #stride = 1;

  runBegan(): void {
    this.#clock.runs++;
  }

  runEnded(): void {
    this.#clock.runs--;
    this.#clock.rest();
  }

  now(): number {
    return this.#clock.now();
  }

  start<T extends ScopeNode>(task: T): Promise<T> {
    return Promise.resolve(task);
  }

  pause<T>(_scope: ScopeNode, _op: string, _on: object | undefined, result?: T): Promise<T> {
    const turn = this.turn();
    if (turn !== undefined) return turn.then(() => result as T);
    return result === undefined ? done : Promise.resolve(result);
  }

  random(): number {
    return Math.random();
  }

  turn(): Promise<void> | undefined {
    const held = this.#isTurnDue();
    return held === undefined ? undefined : new Promise((resolve) => held.push(resolve));
  }

  park(): void {
    this.#isTurnDue();
  }

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean, isBehind?: boolean): void {
    const later = this.#held ?? this.#behind;
    if (later !== undefined) later.push(() => waiter.settle(value, failed));
    else if (isBehind === true) {
      this.#behind = [() => waiter.settle(value, failed)];
      queueMicrotask(this.#onBehind);
    } else waiter.settle(value, failed);
  }

  setTimer(timer: Timer): void {
    this.#clock.set(timer);
  }

  clearTimer(timer: Timer): void {
    this.#clock.clear(timer);
  }

  poll(): void {
    this.#clock.expire();
  }

  /** Asked whenever something begins to wait, not when it ends: a cancellation ends many at once, and is no loop. The list to be held in, if it is time to let timers and I/O have their turn. */
  #isTurnDue(): (() => void)[] | undefined {
    if (this.#held !== undefined || --this.#untilRead > 0) return this.#held;
    const now = this.now();
    this.#stride = now - this.#readAt > 1 ? 1 : Math.min(FASTEST, this.#stride * 2);
    this.#untilRead = this.#stride;
    this.#readAt = now;
    if (now - this.#turnAt < LONGEST_TURN) return undefined;
    this.#held = [];
    void this.#takeTurn(this.#held);
    return this.#held;
  }

  async #takeTurn(held: (() => void)[]): Promise<void> {
    await nextTurn();
    this.#held = undefined;
    this.#turnAt = this.now();
    for (const goOn of held) goOn();
  }
}

export const productionRuntime: Runtime = new ProductionRuntime();
