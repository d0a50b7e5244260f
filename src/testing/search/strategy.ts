import { UsageError } from "../../index.js";
import { baseScheduler } from "../engine/scheduler.js";
import { BoundedSearch } from "./bounded-search.js";
import { ExhaustiveSearch } from "./exhaustive-search.js";
import { Once } from "./once.js";
import { PctScheduler } from "./pct-scheduler.js";
import { PortfolioSearch } from "./portfolio-search.js";
import { PosScheduler } from "./pos-scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";
import { ReducedSearch } from "./reduced-search.js";
import type { Search } from "./search.js";
import { SeededSearch } from "./seeded-search.js";
import { UrwScheduler } from "./urw-scheduler.js";

/** Which schedules `explore` tries. */
export type Strategy =
  /** The one of production. */
  | { readonly kind: "fifo" }
  /** The one in which each task runs until it waits. */
  | { readonly kind: "run" }
  /** Each ready task with equal odds. */
  | { readonly kind: "random"; readonly seed?: number }
  /** Random priorities, of which `depth - 1` change on the way. Default 3. */
  | { readonly kind: "pct"; readonly depth?: number; readonly seed?: number }
  /** A random priority for each step. */
  | { readonly kind: "pos"; readonly seed?: number }
  /** Interleavings with about equal odds. */
  | { readonly kind: "urw"; readonly seed?: number }
  /** Every one with at most so many departures from `run`. */
  | { readonly kind: "bounded"; readonly preemptions: number }
  /** Every one there is. `reduce` leaves out those that differ in the order of independent steps only; it needs all shared state declared with `sim.shared`. */
  | { readonly kind: "exhaustive"; readonly reduce?: boolean }
  /** The default: `fifo`, `run`, one preemption everywhere, then `pos`, `pct`, `urw`, `random` in turn. */
  | { readonly kind: "portfolio"; readonly seed?: number };

/** @throws UsageError if there is no such strategy */
export function searchOf(strategy: Strategy): Search {
  if ("seed" in strategy && strategy.seed !== undefined && !Number.isInteger(strategy.seed))
    throw new RangeError(`\`seed\` of the strategy "${strategy.kind}" is an integer, not ${strategy.seed}`);
  switch (strategy.kind) {
    case "fifo":
    case "run":
      return new Once(baseScheduler(strategy.kind));
    case "random":
      return new SeededSearch(strategy.seed ?? 0, ({ random }) => new RandomScheduler(random));
    case "pct":
      return pctSearch(strategy.seed ?? 0, strategy.depth ?? 3);
    case "pos":
      return new SeededSearch(strategy.seed ?? 0, ({ random }) => new PosScheduler(random));
    case "urw":
      return new SeededSearch(strategy.seed ?? 0, ({ random, counts }) => new UrwScheduler(random, counts));
    case "bounded":
      return new BoundedSearch("run", requireBound(strategy.preemptions));
    case "exhaustive":
      return strategy.reduce === true ? new ReducedSearch() : new ExhaustiveSearch("run");
    case "portfolio":
      return new PortfolioSearch(strategy.seed ?? 0);
    default:
      throw new UsageError(`there is no strategy ${JSON.stringify(strategy)}: see the type Strategy`);
  }
}

function requireBound(preemptions: number): number {
  if (Number.isInteger(preemptions) && preemptions >= 0) return preemptions;
  throw new RangeError(`\`preemptions\` of the strategy "bounded" is an integer from 0, not ${preemptions}`);
}

function pctSearch(seed: number, depth: number): Search {
  if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`\`depth\` of the strategy "pct" is an integer from 1, not ${depth}`);
  return new SeededSearch(seed, ({ random, length }) => new PctScheduler(random, depth, length));
}
