import type { Timer } from "./runtime.js";
import { TimerHeap } from "./timer-heap.js";

/** The longest delay that `setTimeout` keeps; beyond it fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The production clock: one heap of deadlines and sleepers for all runs, and at most one armed timer of the platform. */
export class Clock {
  readonly #heap = new TimerHeap();
  #armed: ReturnType<typeof setTimeout> | undefined = undefined;
  /** When the armed timer fires; `Infinity` when none is armed. It is never after the earliest live timer. */
  #armedFor = Number.POSITIVE_INFINITY;
  readonly #onTimeout = () => {
    this.#armed = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#heap.fire(this.now());
    this.#arm();
  };

  /** Milliseconds since the process began, monotonic. */
  now(): number {
    return performance.now();
  }

  set(timer: Timer): void {
    this.#heap.set(timer);
    if (timer.at < this.#armedFor) this.#arm();
  }

  /** The armed timer stays, to be sorted out when it fires, unless nothing is left to wait for. */
  clear(timer: Timer): void {
    this.#heap.clear(timer);
    if (this.#heap.size === 0) this.#disarm();
  }

  expire(): void {
    if (this.#heap.size === 0) return;
    const now = this.now();
    if (this.#heap.earliest() > now) return;
    this.#heap.fire(now);
    if (this.#heap.size === 0) this.#disarm();
  }

  #arm(): void {
    const at = this.#heap.earliest();
    if (at >= this.#armedFor || at === Number.POSITIVE_INFINITY) return;
    this.#disarm();
    this.#armedFor = at;
    // Rounded up: a timer may be late, never early. Node's may fire up to 1 ms early all the same, and is armed again then.
    this.#armed = setTimeout(this.#onTimeout, Math.min(LONGEST_DELAY, Math.max(1, Math.ceil(at - this.now()))));
  }

  #disarm(): void {
    if (this.#armed === undefined) return;
    clearTimeout(this.#armed);
    this.#armed = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }
}
