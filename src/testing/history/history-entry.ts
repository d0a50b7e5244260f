/** One operation of a recorded history. */
export interface HistoryEntry {
  /** The task that called it. */
  readonly task: string;
  /** The name of the method. */
  readonly op: string;
  /** As they were passed, without a scope at the end. */
  readonly args: readonly unknown[];
  /** What it returned; `undefined` if it failed, was cancelled or is not over. */
  readonly result: unknown;
  /** What it failed with, if it `failed`. */
  readonly error: unknown;
  readonly failed: boolean;
  /** Whether it ended by the cancellation of its scope. */
  readonly cancelled: boolean;
  /** Its place among all calls and returns of the history, from 1. */
  readonly call: number;
  /** `Infinity` while it is not over. */
  readonly ret: number;
  /** The step of the run in which it was called, as in the timeline; 0 before the first. */
  readonly callStep: number;
  /** `Infinity` while it is not over. */
  readonly retStep: number;
}
