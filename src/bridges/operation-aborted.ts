import { describe } from "../kernel/describe.js";

/**
 * What an operation under `cancellable` or `fromCallback` rejects with when it was cancelled, and told so by an error that does not look like it. It counts as the
 * cancellation, which is its `cause`: throw it on. Outside of its scope it is not seen, there it is a `Cancelled`.
 */
export class OperationAborted extends Error {
  override readonly name = "AbortError";
  /** What the operation itself rejected with. */
  readonly original: unknown;

  constructor(original: unknown, cancelled: unknown) {
    super(`the operation was cancelled, and rejected with ${describe(original)}`, { cause: cancelled });
    this.original = original;
  }
}
