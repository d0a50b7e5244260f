/** What is measured in CPU time. The jobs are described in rows.ts. */
export type TimedName =
  | "spawn"
  | "cancel"
  | "nested"
  | "map"
  | "forEach"
  | "channel16"
  | "channel0"
  | "lock"
  | "lockCrowd"
  | "semaphoreCrowd"
  | "timeout"
  | "checkpoint"
  | "all"
  | "race";

/** What is measured in bytes of the heap. */
export type BytesName = "idle" | "settled" | "foreign";
export type JobName = TimedName | BytesName;

/** Does the job with so many children, levels, items or turns. Its result is checked once, before it is timed. */
export type TimedJob = (size: number) => Promise<unknown>;
/** Does the job and resolves to the bytes of one child or scope; `heap` says how many are in use. */
export type BytesJob = (size: number, heap: () => number) => Promise<number>;

/** Someone who can do some of the jobs: a library, or what is written by hand. */
export interface Contender {
  readonly timed: Readonly<Partial<Record<TimedName, TimedJob>>>;
  readonly bytes?: Readonly<Partial<Record<BytesName, BytesJob>>>;
}
