import type { Timer } from "./runtime.js";
import { TimerHeap } from "./timer-heap.js";

/** The longest delay that `setTimeout` keeps; beyond it fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** A timer of Node as it really is: an imitation, as tests install them, has no `_destroyed`, and a timer that fired or was cleared has `true` there. */
interface NodeTimer {
  readonly _destroyed: false;
  ref(): void;
  unref(): void;
}

function isLiveNodeTimer(timer: unknown): timer is NodeTimer {
  return (timer as Partial<NodeTimer> | undefined)?._destroyed === false;
}

/** The production clock: one heap of deadlines and sleepers for all runs, and at most one armed timer of the platform. */
export class Clock {
  readonly #heap = new TimerHeap();
  #armed: ReturnType<typeof setTimeout> | undefined = undefined;
  /** When the armed timer fires; `Infinity` when none is armed. It is never after the earliest live timer. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** Which `setTimeout` armed it. Tests that install their own have it armed by that one. */
  #armedBy: typeof setTimeout | undefined = undefined;
  /** Runs that are going on. */
  runs = 0;
  /**
   * Whether the armed timer is kept although nothing is waited for, without keeping the process alive: to arm one costs more than all the rest of
   * a scope with a timeout, and most of those are left long before. Only while there are runs, and only Node's timers can do that.
   */
  #isResting = false;
  readonly #onTimeout = () => {
    this.#armed = undefined;
    this.#isResting = false;
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
    if (this.#isResting) this.#rouse();
    if (timer.at < this.#armedFor) this.#arm();
  }

  /** The armed timer stays, to be sorted out when it fires, unless nothing is left to wait for. */
  clear(timer: Timer): void {
    this.#heap.clear(timer);
    this.rest();
  }

  expire(): void {
    if (this.#heap.size === 0) return;
    const now = this.now();
    if (this.#heap.earliest() > now) return;
    this.#heap.fire(now);
    this.rest();
  }

  /** Sees to what is armed, if nothing is waited for. */
  rest(): void {
    if (this.#armed === undefined || this.#heap.size > 0) return;
    if (this.runs === 0 || !isLiveNodeTimer(this.#armed)) this.#disarm();
    else if (!this.#isResting) {
      this.#isResting = true;
      this.#armed.unref();
    }
  }

  /** Something is waited for again. */
  #rouse(): void {
    this.#isResting = false;
    if (isLiveNodeTimer(this.#armed) && this.#armedBy === setTimeout) this.#armed.ref();
    else this.#disarm();
  }

  #arm(): void {
    const at = this.#heap.earliest();
    if (at >= this.#armedFor || at === Number.POSITIVE_INFINITY) return;
    this.#disarm();
    this.#armedFor = at;
    this.#armedBy = setTimeout;
    // Rounded up: a timer may be late, never early. Node's may fire up to 1 ms early all the same, and is armed again then.
    this.#armed = setTimeout(this.#onTimeout, Math.min(LONGEST_DELAY, Math.max(1, Math.ceil(at - this.now()))));
  }

  #disarm(): void {
    if (this.#armed === undefined) return;
    clearTimeout(this.#armed);
    this.#armed = undefined;
    this.#isResting = false;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }
}
