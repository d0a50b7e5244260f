/** One step of a run: what a task did from one checkpoint to the next. */
export interface Step {
  /** From 0. */
  readonly index: number;
  /** Virtual time, in ms. */
  readonly time: number;
  /** The task that went on; `time` where time passed. */
  readonly task: string;
  /** The operation from which it went on. */
  readonly op: string;
  /** What the operation was about; `""` if nothing that has a name. */
  readonly object: string;
  /** In how many ways the run could have gone on here. */
  readonly enabled: number;
  /** Which one it took; 0 is the default order. */
  readonly choice: number;
  /** Of what `sim.shared` declared: what the step read. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** What the program chose in it, with `sim.choose` and `sim.fault`, where that was not the default. */
  readonly remarks: readonly string[];
  /** Where the task began to wait, as `file:line:column`, if that was recorded. */
  readonly site: string | undefined;
}
