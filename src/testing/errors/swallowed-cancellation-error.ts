import type { Telling } from "../engine/finding.js";

/** A task that was cancelled went on and on. */
export class SwallowedCancellationError extends Error implements Telling {
  override readonly name = "SwallowedCancellationError";
  readonly failureKind = "swallowed";

  constructor(task: string, grace: number) {
    super(
      `${task} was cancelled, and went on all the same: it began more than ${grace} operations after that.\n` +
        "What catches Cancelled cleans up and throws it on; a loop that tries again asks isCancellation(error) first",
    );
  }
}
