import type { JoinPolicy, SettledTask } from "./policy.js";
import { requireAnswer, requireFunction } from "./validate.js";

/** What `until()` makes. */
export interface Until<T> extends JoinPolicy<T, readonly SettledTask<T>[]> {
  /** The tasks that have ended so far, in the order of their ends. */
  readonly settled: readonly SettledTask<T>[];
}

/**
 * A policy that waits for what `predicate` asks for: it is called for each task that has ended, and once it returns `true` the others are cancelled. The
 * nursery resolves to all of its tasks, in the order of their ends, each with its `outcome`. Failures of tasks are not thrown, they are outcomes.
 *
 * `until(() => false)` waits for all of them, whatever becomes of them.
 *
 * @throws whatever `predicate` throws, with the failures of tasks so far: that cancels the nursery, too
 * @throws UsageError if `predicate` returns anything but true or false, a promise for example
 * @example
 * let answers = 0;
 * const settled = await openNursery((nursery) => {
 *   for (const replica of replicas) nursery.startSoon((task) => replica.write(entry, task));
 * }, { policy: until(({ outcome }) => outcome.state === "done" && ++answers === quorum) });
 *
 * Source: java.util.concurrent.StructuredTaskScope.Joiner.allUntil (JEP 505).
 */
export function until<T = unknown>(predicate: (task: SettledTask<T>) => boolean): Until<T> {
  requireFunction(predicate, "until()");
  const settled: SettledTask<T>[] = [];
  let isReached = false;
  return {
    settled,
    onSettled(task) {
      settled.push(task);
      isReached ||= requireAnswer(predicate(task), "the predicate of until()");
      return isReached ? "cancel" : "continue";
    },
    result: () => settled,
  };
}
