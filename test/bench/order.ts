import type { JobName } from "./contenders/contender.js";
import type { ContenderName } from "./contenders/load.js";

/** What a process is told to measure: contenders that take turns. */
export interface Order {
  readonly job: JobName;
  /** The same contender may come in two sizes. */
  readonly entries: readonly { readonly name: ContenderName; readonly size: number }[];
  /** All of creche has run in this process before, as in an application that uses all of it. */
  readonly isMixed: boolean;
  /** Without this entry the others need not be measured. */
  readonly essential?: number;
  /** Rounds that are wanted, and the CPU time for all of them, in ms: with slow ones there are fewer. */
  readonly pairs: number;
  readonly time: number;
}

/** What the process says, a line of JSON each. */
export type Message =
  /** It has been done once, and its work was right: what comes now takes a known time. */
  | { readonly type: "probed"; readonly entry: number }
  | { readonly type: "failed"; readonly entry: number; readonly why: string }
  /** Nanoseconds, or bytes, for each unit; by entry; those of one index were measured in one round. */
  | { readonly type: "samples"; readonly samples: readonly (readonly number[])[] };
