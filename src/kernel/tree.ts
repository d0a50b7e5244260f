import type { Runtime } from "./runtime.js";

/** What all scopes below one root share. Its identity tells cancellations of this tree from others. */
export class Tree {
  readonly runtime: Runtime;
  /** How often an error that only looked like an abort was taken for the cancellation of its scope (step 4 of `classify`). */
  assumedCancellations: number;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.assumedCancellations = 0;
  }
}
