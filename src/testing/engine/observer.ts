import type { ScopeNode } from "../../kernel/scope-node.js";
import type { Waiter } from "../../kernel/waiter.js";
import type { SimulatedRuntime } from "./simulated-runtime.js";

/** Sees what happens in a run, and may interfere: how cancellations are injected. */
export interface Observer {
  /** Before anything else. */
  begins?(runtime: SimulatedRuntime): void;
  /** An operation begins in a scope that is not cancelled; what is cancelled here refuses it. */
  entering?(scope: ScopeNode): void;
  /** An operation has begun to wait, or is over and lets others run. */
  parked?(waiter: Waiter<unknown>): void;
  /** A cancelled task tried to go on with an operation. `false`: it never will. */
  refused?(): boolean;
  /** A step has come to rest. What it throws is what is wrong with the run. */
  rested?(): void;
  /** Whether it is all right that the run rejects with this. */
  expects?(error: unknown): boolean;
}
