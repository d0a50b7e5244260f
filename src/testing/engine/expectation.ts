import type { Bound } from "../sim.js";
import type { Telling } from "./finding.js";
import type { SimulatedRuntime } from "./simulated-runtime.js";

/** What `sim.eventually` says must come true did not. */
export class LivenessError extends Error implements Telling {
  override readonly name = "LivenessError";
  readonly failureKind = "liveness";
}

/** Something that must come true. Before it is said not to, it has had its bound in a fair order: what a schedule starves on purpose is no failure. */
export class Expectation {
  readonly #name: string;
  readonly #check: () => boolean;
  readonly #bound: Bound;
  readonly #runtime: SimulatedRuntime;
  /** From where the bound counts. */
  #step: number;
  #time: number;
  #isFair = false;

  constructor(name: string, check: () => boolean, bound: Bound, runtime: SimulatedRuntime) {
    this.#name = name;
    this.#check = check;
    this.#bound = bound;
    this.#runtime = runtime;
    this.#step = runtime.trace.length;
    this.#time = runtime.now();
  }

  isMet(): boolean {
    if (this.#check()) return true;
    const { steps, ms } = this.#bound;
    const isLate = steps !== undefined && this.#runtime.trace.length - this.#step > steps;
    if (!isLate && !(ms !== undefined && this.#runtime.now() - this.#time > ms)) return false;
    if (this.#isFair) throw this.failure(isLate ? `within ${steps} steps` : `within ${ms} ms`);
    this.#isFair = true;
    this.#runtime.endInOrder();
    this.#step = this.#runtime.trace.length;
    this.#time = this.#runtime.now();
    return false;
  }

  failure(when: string): LivenessError {
    return new LivenessError(`"${this.#name}" has not come true ${when}`);
  }
}
