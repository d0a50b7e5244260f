import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { median } from "./theil-sen.js";

/** How often the loop is asked, in ms: what the histogram says is that, and the delay. */
const RESOLUTION = 5;

/** The delay of the event loop in each round: a histogram that goes on over the pauses would take them for delays. */
export class LoopDelay {
  readonly #p50: number[] = [];
  readonly #p99: number[] = [];
  readonly #most: number[] = [];
  #round: IntervalHistogram | undefined = undefined;

  start(): void {
    this.#round = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#round.enable();
  }

  pause(): void {
    const round = this.#round as IntervalHistogram;
    round.disable();
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    this.#p50.push(ms(round.percentile(50)));
    this.#p99.push(ms(round.percentile(99)));
    this.#most.push(ms(round.max));
  }

  toString(): string {
    const ms = (value: number) => `${value.toFixed(1)} ms`;
    return `p50 ${ms(median(this.#p50))}, p99 ${ms(median(this.#p99))} (medians of rounds), max ${ms(Math.max(0, ...this.#most))}`;
  }
}
