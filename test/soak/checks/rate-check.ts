import { now } from "../../../src/index.js";
import type { Ledger } from "./ledger.js";

interface Grant {
  readonly asked: number;
  readonly got: number;
  readonly tokens: number;
}

/** So many of the last grants are held against one another. */
const WINDOW = 50;

/**
 * That a rate limiter keeps its rate. A token was taken at some instant between the call and its end, which may be late: so of any grants in a row no more
 * tokens can have come than `burst` and what comes from the first call to the last end.
 */
export class RateCheck {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #ledger: Ledger;
  readonly #grants: Grant[] = [];

  constructor({ limit, interval, burst }: { limit: number; interval: number; burst: number }, ledger: Ledger) {
    this.#perMs = limit / interval;
    this.#burst = burst;
    this.#ledger = ledger;
  }

  async acquire(tokens: number, acquire: () => Promise<void>): Promise<void> {
    const asked = now();
    await acquire();
    const grant = { asked, got: now(), tokens };
    this.#grants.push(grant);
    if (this.#grants.length > WINDOW) this.#grants.shift();
    let taken = 0;
    let from = Number.POSITIVE_INFINITY;
    for (let i = this.#grants.length - 1; i >= 0; i--) {
      const earlier = this.#grants[i] as Grant;
      taken += earlier.tokens;
      from = Math.min(from, earlier.asked);
      const most = this.#burst + (grant.got - from) * this.#perMs;
      // Half a token for the rounding of instants.
      this.#ledger.check(
        taken <= most + 0.5,
        () => `${taken} tokens of the rate limiter were taken where ${most.toFixed(1)} could be there`,
      );
    }
  }
}
