import type { Telling } from "../engine/finding.js";

/** There is no order in which the operations of a history could have come one after another. */
export class NonlinearizableError extends Error implements Telling {
  override readonly name = "NonlinearizableError";
  readonly failureKind = "nonlinearizable";
}
