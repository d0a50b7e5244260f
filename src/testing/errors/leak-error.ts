import type { Telling } from "../engine/finding.js";

/** Something was left when a run had ended. */
export class LeakError extends Error implements Telling {
  override readonly name = "LeakError";
  readonly failureKind = "leak";
}
