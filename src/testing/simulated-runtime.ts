import { describe } from "../kernel/describe.js";
import type { Runtime, Timer } from "../kernel/runtime.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { TimerHeap } from "../kernel/timer-heap.js";
import { PlainWaiter, type Waiter } from "../kernel/waiter.js";

/** Which of `n` ready wake-ups is released next: an integer from 0 to `n - 1`. */
export type Pick = (n: number) => number;

const first: Pick = () => 0;

/**
 * Virtual time, and one wake-up at a time: `wake` only queues, and nothing goes on until `step` is called. Two runs of a program that has nothing foreign
 * in it are the same, step by step.
 */
export class SimulatedRuntime implements Runtime {
  readonly #heap = new TimerHeap();
  #pick: Pick;
  #now: number;
  /** Decided wake-ups that have not been released, in the order of their decisions, from `#released` on. */
  #ready: (() => void)[] = [];
  #released = 0;
  #seed = 0;

  constructor(startTime = 0, pick: Pick = first) {
    this.#now = startTime;
    this.#pick = pick;
  }

  now(): number {
    return this.#now;
  }

  start<T extends ScopeNode>(task: T): Promise<T> {
    return new Promise((resolve) => {
      this.#ready.push(() => resolve(task));
    });
  }

  pause<T>(scope: ScopeNode, op: string, on: object | undefined, result?: T): Promise<T> {
    const waiter = new PlainWaiter<T>(op, on);
    const promise = scope._park(waiter);
    waiter.wake(result as T);
    return promise;
  }

  /** The same numbers in each run: mulberry32. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Every step ends with a turn of the event loop. */
  turn(): undefined {}

  park(): void {}

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean): void {
    this.#ready.push(() => waiter.settle(value, failed));
  }

  setTimer(timer: Timer): void {
    this.#heap.set(timer);
  }

  clearTimer(timer: Timer): void {
    this.#heap.clear(timer);
  }

  poll(): void {
    if (this.#heap.earliest() <= this.#now) this.#heap.fire(this.#now);
  }

  /** Releases one wake-up; if there is none, jumps to the next timer. False if nothing can happen any more. */
  step(): boolean {
    this.poll();
    while (this.#ready.length === this.#released) {
      const next = this.#heap.earliest();
      if (next === Number.POSITIVE_INFINITY) return false;
      this.#now = Math.max(this.#now, next);
      this.poll();
    }
    this.#take()();
    return true;
  }

  /** Releases one wake-up without letting time pass. False if there is none. */
  flush(): boolean {
    if (this.#ready.length === this.#released) return false;
    this.#take()();
    return true;
  }

  #take(): () => void {
    const i = this.#released + this.#choose(this.#ready.length - this.#released);
    const release = this.#ready[i] as () => void;
    if (i === this.#released) {
      this.#released++;
      if (this.#released === this.#ready.length) {
        this.#ready.length = 0;
        this.#released = 0;
      }
    } else this.#ready.splice(i, 1);
    return release;
  }

  /** A schedule that goes wrong is not asked again: what is left ends in order. */
  #choose(n: number): number {
    const pick = this.#pick;
    this.#pick = first;
    const i = pick(n);
    if (!Number.isInteger(i) || i < 0 || i >= n) {
      throw new RangeError(
        `pick(${n}) returned ${describe(i)}: it is to return which ready wake-up goes on, an integer from 0 to ${n - 1}`,
      );
    }
    this.#pick = pick;
    return i;
  }
}
