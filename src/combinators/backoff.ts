import { describe } from "../kernel/describe.js";
import type { Runtime } from "../kernel/runtime.js";
import { requireDuration, requireFunction } from "../kernel/validate.js";

export interface BackoffOptions {
  /** Milliseconds between the first attempt and the second; or, for each attempt that failed, those before the next. Default 1,000. */
  readonly delay?: number | ((attempt: number, error: unknown) => number) | undefined;
  /** By how much the delay grows from one attempt to the next. Default 2; 1 keeps it as it is. */
  readonly factor?: number | undefined;
  /** The delay grows no longer than this, in ms. Default 30,000. */
  readonly maxDelay?: number | undefined;
  /**
   * The share of the delay that is left to chance, so that those who failed together do not come back together: from 0, none, to 1, all of it, which is the default.
   * A delay that a function gives is taken as it is.
   */
  readonly jitter?: number | undefined;
  /** Where chance comes from: a number from 0 to below 1. Default: that of the run, which in simulated time is the same in every replay. */
  readonly random?: (() => number) | undefined;
}

/** How long to wait after which attempt. */
export class Backoff {
  readonly #delay: number | ((attempt: number, error: unknown) => number);
  readonly #factor: number;
  readonly #maxDelay: number;
  readonly #jitter: number;
  readonly #random: (() => number) | undefined;

  constructor({ delay = 1_000, factor = 2, maxDelay = 30_000, jitter = 1, random }: BackoffOptions) {
    this.#delay = typeof delay === "function" ? delay : requireDuration(delay, "the delay of retry()");
    this.#factor = requireBetween(factor, 1, Number.MAX_VALUE, "the factor of retry()");
    this.#maxDelay = requireDuration(maxDelay, "the maxDelay of retry()");
    this.#jitter = requireBetween(jitter, 0, 1, "the jitter of retry()");
    this.#random = random === undefined ? undefined : requireFunction(random, "the random of retry()");
  }

  /** Milliseconds to wait after the attempt of that number, from 1, has failed. */
  after(attempt: number, error: unknown, runtime: Runtime): number {
    if (typeof this.#delay === "function") return requireDuration(this.#delay(attempt, error), "what the delay of retry() returns");
    // Where there is no delay, there is none to grow: 0 * Infinity is NaN.
    const full = this.#delay === 0 ? 0 : Math.min(this.#maxDelay, this.#delay * this.#factor ** (attempt - 1));
    if (this.#jitter === 0 || full === 0) return full;
    const chance = this.#random === undefined ? runtime.random() : this.#random();
    return full * (1 - this.#jitter * requireBetween(chance, 0, 1, "what the random of retry() returns"));
  }
}

function requireBetween(value: number, least: number, most: number, what: string): number {
  if (typeof value !== "number") throw new TypeError(`${what} is a number, not ${describe(value)}`);
  if (value >= least && value <= most) return value;
  throw new RangeError(`${what} is a number from ${least}${most === Number.MAX_VALUE ? "" : ` to ${most}`}, not ${value}`);
}
