import type { SimWaitGraph } from "../report/sim-wait-graph.js";

/** What is wrong with a run. */
export type FailureKind =
  | "error"
  | "deadlock"
  | "livelock"
  | "leak"
  | "invariant"
  | "liveness"
  | "external"
  | "nonlinearizable"
  | "nondeterminism"
  | "swallowed";

/** What was found wrong in one run, before it is reduced and told. */
export interface Finding {
  readonly kind: FailureKind;
  readonly error: unknown;
  /** Who waited on what when it was found, where that says something. */
  readonly graph: SimWaitGraph | undefined;
}

/** An error that says itself of what kind it is, when a run rejects with it. */
export interface Telling {
  readonly failureKind: FailureKind;
}

export function kindOf(error: unknown): FailureKind {
  try {
    const { failureKind } = (error ?? {}) as Partial<Telling>;
    return typeof failureKind === "string" ? failureKind : "error";
  } catch {
    // Anything may be thrown, also what throws when it is looked at.
    return "error";
  }
}
