import type { ScopeNode } from "../../kernel/scope-node.js";

/** A task, as a simulated run tells it from the others: by its number, which is the order in which they appeared. */
export interface SimTask {
  readonly id: number;
  readonly name: string;
  readonly node: ScopeNode | undefined;
  /** How many of its operations wait, or are over and have not gone on. A task that has none, and has not ended, awaits something foreign. */
  parked: number;
  /** How many of its operations wait for what comes from outside: while there are any, it awaits something foreign, whatever else it waits for. */
  foreign: number;
  /** Its last operation, for reports. */
  lastOp: string;
  /** After how many steps it was taken to await what another task settles without this library: nothing is in flight for it, and it is no use to wait. */
  rawSince: number | undefined;
}

/** A wake-up that has been decided and not been released: one of the ways in which a run may go on. */
export interface Ready {
  readonly task: SimTask;
  readonly op: string;
  /** What the operation is about, if that is an object of the library. */
  readonly on: object | undefined;
  /** The number of the step that decided it; -1 before the first. */
  readonly cause: number;
  /** Where its task began to wait, if that is recorded. */
  readonly site: string | undefined;
  /** Lets it go on. */
  release(): void;
}
