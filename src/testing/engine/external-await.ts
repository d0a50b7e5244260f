/** A wait of a task for something that is not of this library: for `fetch`, a file, or a promise of somebody else. */
export interface ExternalAwait {
  readonly task: string;
  /** The last operation of the library that the task had done. */
  readonly after: string;
  /** Whether it came back in time. If not, other tasks were free to go on meanwhile. */
  readonly settled: boolean;
  /** What was in flight, as the platform names it. */
  readonly resources: readonly string[];
}
