import type { Cancellable } from "../kernel/types.js";
import { optionsOf, requireBound } from "./options.js";

export interface MapOptions extends Cancellable {
  /** How many items are worked on at a time. Default `Infinity`: all of them. */
  readonly concurrency?: number | undefined;
}

/** How many items at a time; by default all. */
export function concurrencyOf(options: MapOptions | undefined, caller: string): number {
  const { concurrency = Number.POSITIVE_INFINITY } = optionsOf(options, caller);
  return requireBound(concurrency, `the concurrency of ${caller}`);
}
