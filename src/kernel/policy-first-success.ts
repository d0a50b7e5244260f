import { ErrorGroup } from "./error-group.js";
import { UsageError } from "./errors.js";
import type { JoinPolicy, SettledTask, TaskOutcome } from "./policy.js";

/** What `firstSuccess()` makes. */
export interface FirstSuccess<T> extends JoinPolicy<T, T> {
  /** The failures so far, in order of occurrence: also those that a success has made unimportant. */
  readonly errors: readonly unknown[];
}

/**
 * A policy for attempts of which one has to succeed: the first value cancels the other tasks, and the nursery resolves to it when they have ended. Their
 * values, if they have some all the same, are disposed where they can be.
 *
 * If no task succeeds, the nursery throws their failures: one as it is, several as an `ErrorGroup`; `TaskCancelledError` if all that
 * did not fail were cancelled. A failure is no reason to give up, nor to fail after a success: so neither do failures count when the nursery is cancelled from
 * outside. They are kept in `errors`.
 *
 * @throws UsageError when no task was started
 * @example
 * const page = await openNursery((nursery) => {
 *   for (const mirror of mirrors) nursery.startSoon((task) => download(mirror, task));
 * }, { policy: firstSuccess<Page>() });
 *
 * Source: java.util.concurrent.StructuredTaskScope.Joiner.anySuccessfulOrThrow (JEP 505).
 */
export function firstSuccess<T = unknown>(): FirstSuccess<T> {
  return new FirstOfTasks<T>();
}

class FirstOfTasks<T> implements FirstSuccess<T> {
  readonly errors: unknown[] = [];
  #first: Extract<TaskOutcome<T>, { state: "done" }> | undefined = undefined;
  #cancelled: SettledTask<T> | undefined = undefined;

  onSettled(task: SettledTask<T>): "continue" | "cancel" {
    const { outcome } = task;
    if (outcome.state === "done") {
      this.#first ??= outcome;
      return "cancel";
    }
    if (outcome.state === "failed") this.errors.push(outcome.error);
    else this.#cancelled ??= task;
    return "continue";
  }

  result(): T {
    if (this.#first !== undefined) return this.#first.value;
    if (this.errors.length > 0) throw new ErrorGroup(this.errors, "firstSuccess()");
    if (this.#cancelled !== undefined) throw this.#cancelled._cancelledError();
    throw new UsageError("the nursery of firstSuccess() ended without a task, so there is none that could succeed: start some in its body");
  }

  keeps({ outcome }: SettledTask<T>): boolean {
    return outcome.state === "done" && outcome.value === this.#first?.value;
  }
}
