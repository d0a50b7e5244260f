import type { CancelPolicy } from "./policy.js";

/**
 * A policy that keeps tasks from one another: a failure does not cancel the others, be it in the background. When all have ended, the nursery resolves to the value of its body, or
 * throws the failures, in order of occurrence: one as it is, several as an `ErrorGroup`.
 *
 * A failure of the body cancels the nursery, as ever. So does one that it gets by joining a task:
 *
 * @example
 * await openNursery((nursery) => {
 *   for (const service of services) nursery.startSoon(() => service.run());
 * }, { policy: collect() });
 *
 * @example
 * // Wrong: the body fails with the task it joins, and that cancels the others.
 * await openNursery(async (nursery) => void (await nursery.startSoon(work).join()), { policy: collect() });
 *
 * Source: kotlinx.coroutines.supervisorScope.
 */
export function collect(): CancelPolicy {
  return { onSettled: () => "continue" };
}
