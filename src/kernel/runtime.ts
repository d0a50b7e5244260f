import type { ScopeNode } from "./scope-node.js";
import type { Waiter } from "./waiter.js";

/** Something that happens at an instant: a sleeper's end, or the deadline of a scope. */
export interface Timer {
  /** The instant, in ms of the runtime's clock. Fixed while the timer is set. */
  readonly at: number;
  /** Its place among timers of the same instant: the order in which they were set. Written by the heap. */
  order: number;
  /** False once it fired or was cleared; a dead timer may stay in the heap for a while (lazy deletion). */
  live: boolean;
  /** Deadlines of one instant fire before sleepers of that instant, so that `moveOnAfter(5)` around `sleep(5)` times out, as in Trio. */
  readonly isDeadline: boolean;
  fire(): void;
}

/**
 * The only door to time and to waiting: everything the library does that depends on time or on order goes through it.
 * Production uses `productionRuntime`; the simulated one has a virtual clock and releases one wake-up at a time.
 */
export interface Runtime {
  /** A run begins on it. */
  runBegan(): void;
  /** A run has ended: whatever is kept for the waits of others goes with the last of them. */
  runEnded(): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Resolves when a new task may take its first step. */
  start<T extends ScopeNode>(task: T): Promise<T>;
  /**
   * The wait of an operation that needs none, because it is done already: it lets others run, then resolves to its result.
   * Not cancellable: who needs that looks before and after.
   */
  pause<T = void>(scope: ScopeNode, op: string, on: object | undefined, result?: T): Promise<T>;
  /** Where an operation is refused without a wait: a turn of the event loop, if one is due, so that code that goes on and on starves nobody. */
  turn(): Promise<void> | undefined;
  /** An operation begins to wait. */
  park(waiter: Waiter<unknown>): void;
  /** An operation's wait is over: `waiter.settle(value, failed)` is due, at once or when the schedule says so; `isBehind`: after the caller has gone on. */
  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean, isBehind?: boolean): void;
  setTimer(timer: Timer): void;
  clearTimer(timer: Timer): void;
  /** From 0 to below 1: where the choice between equals must favour none, and must be the same in a replay. */
  random(): number;
  /** An operation begins in `scope`, or goes on: fires what is overdue, although no timer has had the chance to report it. */
  poll(scope?: ScopeNode): void;
}
