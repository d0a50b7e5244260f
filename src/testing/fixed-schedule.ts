import type { Schedule } from "./schedule.js";
import { PlannedSchedule } from "./schedule.js";
import { decode } from "./search/schedule-code.js";
import type { SimOptions } from "./sim-options.js";

/**
 * The schedule that a report printed, as a value: for the `examples` of a property, for example. If the program takes another path by now, it runs as near to
 * it as it can.
 *
 * @throws UsageError if `code` is no schedule
 * @example
 * await fc.assert(property, { examples: [[[], fixedSchedule("r:1#c6k")]] });
 */
export function fixedSchedule(code: string, options: Omit<SimOptions, "base" | "seed" | "timeRaces"> = {}): Schedule {
  const { base, picks, seed, timeRaces } = decode(code).departures;
  return new PlannedSchedule({ base, picks }, { ...options, seed, timeRaces }, code);
}
