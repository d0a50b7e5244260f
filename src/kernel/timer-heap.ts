import { deliverTogether } from "./deliver.js";
import type { Timer } from "./runtime.js";

/** Dead timers may make up two thirds of the heap, and this many more, before it is swept: sweeping is amortised O(1) a timer. */
const SLACK = 1000;

/** A binary heap of timers by (instant, order of setting), with lazy deletion. */
export class TimerHeap {
  /** A binary heap: no timer is due before its parent at (i - 1) >> 1. */
  #heap: Timer[] = [];
  /** How many timers of the heap are live. When it falls to 0 the heap is emptied, so it never keeps what is over. */
  #live = 0;
  #order = 0;

  get size(): number {
    return this.#live;
  }

  set(timer: Timer): void {
    timer.live = true;
    timer.order = this.#order++;
    this.#live++;
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
  }

  clear(timer: Timer): void {
    if (!timer.live) return;
    timer.live = false;
    this.#live--;
    if (this.#live === 0) this.#empty();
    else if (this.#heap.length > 3 * this.#live + SLACK) this.#sweep();
  }

  #empty(): void {
    // To cut an array off lets go of its memory, which one timer after another would have made anew each time.
    if (this.#heap.length === 1) this.#heap.pop();
    else this.#heap.length = 0;
  }

  /** The instant of the earliest live timer, or `Infinity`. */
  earliest(): number {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.live) return top.at;
      this.#pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Fires all timers that are due, deadlines before sleepers, each kind by instant and order of setting.
   * A timer that an earlier one of the batch cleared does not fire. Listeners of one deadline find all that have passed delivered.
   */
  fire(now: number): void {
    const deadlines: Timer[] = [];
    const sleepers: Timer[] = [];
    while (this.earliest() <= now) {
      const timer = this.#pop();
      (timer.isDeadline ? deadlines : sleepers).push(timer);
    }
    if (deadlines.length > 0) {
      deliverTogether(() => {
        for (const timer of deadlines) this.#fireOne(timer);
      });
    }
    for (const timer of sleepers) this.#fireOne(timer);
  }

  #fireOne(timer: Timer): void {
    if (!timer.live) return;
    this.clear(timer);
    timer.fire();
  }

  #pop(): Timer {
    const heap = this.#heap;
    const top = heap[0] as Timer;
    const last = heap.pop() as Timer;
    if (heap.length > 0) {
      heap[0] = last;
      this.#down(0);
    }
    return top;
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((timer) => timer.live);
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  #up(start: number): void {
    const heap = this.#heap;
    const timer = heap[start] as Timer;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!isBefore(timer, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = timer;
  }

  #down(start: number): void {
    const heap = this.#heap;
    const timer = heap[start] as Timer;
    const half = heap.length >> 1;
    let i = start;
    while (i < half) {
      let child = 2 * i + 1;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Timer)) child++;
      const below = heap[child] as Timer;
      if (!isBefore(below, timer)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = timer;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
