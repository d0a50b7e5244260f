import type { TimedName } from "./contenders/contender.js";

/** Whether a job has done its work: what it resolved to, how many have counted themselves, and how many timers are left. */
export function isRight(job: TimedName, size: number, result: unknown, done: number, timers: number): boolean {
  if (timers > 0) return false;
  if (job === "map") return Array.isArray(result) && result.length === size && result.every((value, i) => value === i);
  if (job === "channel16" || job === "channel0") return result === (size * (size - 1)) / 2;
  return done === size;
}
