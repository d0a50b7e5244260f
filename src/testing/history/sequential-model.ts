import type { HistoryEntry } from "./history-entry.js";

/**
 * What an object would do if its operations came one after another. Its functions are pure: they make new states, and leave the old ones as they are.
 * States are compared by structure (plain objects, arrays, maps, sets), and instances of classes by identity.
 */
export interface SequentialModel<S, Op extends string = string> {
  init(): S;
  /** The next state, or `undefined` if in `state` the operation could not have had this result. `entry` has the rest: the task, for one. */
  step(state: S, op: Op, args: readonly unknown[], result: unknown, entry: HistoryEntry): { readonly state: S } | undefined;
  /** As `step`, for an operation that failed. Without it, one that failed changed nothing, and may fail at any time. */
  fail?(state: S, op: Op, args: readonly unknown[], error: unknown, entry: HistoryEntry): { readonly state: S } | undefined;
  /**
   * Every state to which an operation may have led of which the result is not known: one that is not over, and under `cancelled: "maybe"` one that was
   * cancelled. It may also have had no effect. Without it, `step` is asked with the result `undefined`.
   */
  maybe?(state: S, op: Op, args: readonly unknown[], entry: HistoryEntry): readonly S[];
  /** Operations of different parts (the keys of a map, for example) have nothing to do with each other, and are checked apart, which is much faster. */
  partition?(op: Op, args: readonly unknown[]): string;
}
