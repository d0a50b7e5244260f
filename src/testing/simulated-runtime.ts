import type { Runtime, Timer } from "../kernel/runtime.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { TimerHeap } from "../kernel/timer-heap.js";
import { PlainWaiter, type Waiter } from "../kernel/waiter.js";

/** Which of `n` ready wake-ups is released next. */
export type Pick = (n: number) => number;

const first: Pick = () => 0;

/**
 * Virtual time, and one wake-up at a time: `wake` only queues, and nothing goes on until `step` is called. Two runs of a program that has nothing foreign
 * in it are the same, step by step.
 */
export class SimulatedRuntime implements Runtime {
  readonly #heap = new TimerHeap();
  readonly #pick: Pick;
  #now: number;
  /** Decided wake-ups that have not been released, in the order of their decisions, from `#released` on. */
  #ready: (() => void)[] = [];
  #released = 0;

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

  pause(scope: ScopeNode, op: string, on: object | undefined): Promise<void> {
    const waiter = new PlainWaiter(op, on);
    const promise = scope._park(waiter);
    waiter.wake();
    return promise;
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
    const i = this.#released + this.#pick(this.#ready.length - this.#released);
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
}
