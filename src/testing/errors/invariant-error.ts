import type { Telling } from "../engine/finding.js";

/** What `sim.invariant` says must hold after every step did not. */
export class InvariantError extends Error implements Telling {
  override readonly name = "InvariantError";
  readonly failureKind = "invariant";

  constructor(what: string, options?: ErrorOptions) {
    super(`the invariant "${what}" is broken`, options);
  }
}
