import { Clock } from "./clock.js";
import { nextTurn } from "./next-turn.js";
import type { Runtime, Timer } from "./runtime.js";
import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

/** Milliseconds of checkpoints without a turn of the event loop, after which one takes it, so that timers and I/O are not starved. */
const LONGEST_TURN = 10;
/** Reading the clock costs as much as a checkpoint, so while checkpoints come fast it is read at every 16th. */
const FASTEST = 16;
const done = Promise.resolve();

/** Real time, and every wake-up at once, in the order in which they are decided. */
class ProductionRuntime implements Runtime {
  readonly #clock = new Clock();
  /** While a turn of the event loop is being taken, all checkpoints wait for it: one that did not would keep it from coming. */
  #turn: Promise<void> | undefined = undefined;
  #turnAt = 0;
  #readAt = 0;
  #untilRead = 1;
  #stride = 1;

  now(): number {
    return this.#clock.now();
  }

  start<T extends ScopeNode>(task: T): Promise<T> {
    return Promise.resolve(task);
  }

  pause(): Promise<void> {
    if (this.#turn !== undefined) return this.#turn;
    if (--this.#untilRead > 0) return done;
    const now = this.now();
    this.#stride = now - this.#readAt > 1 ? 1 : Math.min(FASTEST, this.#stride * 2);
    this.#untilRead = this.#stride;
    this.#readAt = now;
    if (now - this.#turnAt < LONGEST_TURN) return done;
    this.#turn = this.#takeTurn();
    return this.#turn;
  }

  async #takeTurn(): Promise<void> {
    await nextTurn();
    this.#turn = undefined;
    this.#turnAt = this.now();
  }

  park(): void {}

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean): void {
    waiter.settle(value, failed);
  }

  setTimer(timer: Timer): void {
    this.#clock.set(timer);
  }

  clearTimer(timer: Timer): void {
    this.#clock.clear(timer);
  }

  expire(): void {
    this.#clock.expire();
  }
}

export const productionRuntime: Runtime = new ProductionRuntime();
