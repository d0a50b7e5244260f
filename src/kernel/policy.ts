import type { Cancelled } from "./cancelled.js";
import type { Nursery, NurseryOptions } from "./nursery.js";
import type { Task, TaskOptions } from "./task.js";
import type { Awaitable, Cancellable } from "./types.js";

/** How a task has ended. */
export type TaskOutcome<T = unknown> =
  | { readonly state: "done"; readonly value: T }
  | { readonly state: "failed"; readonly error: unknown }
  | { readonly state: "cancelled"; readonly reason: Cancelled };

/** A task that has ended. */
export type SettledTask<T = unknown> = Task<T> & { readonly outcome: TaskOutcome<T> };

/**
 * Says when a nursery is cancelled because of its tasks. Everything else is as in any nursery: it resolves to the value of its body, and the
 * failures of its tasks are thrown at its end (one as it is, several as an `ErrorGroup`). It is asked as a `JoinPolicy` is, but about background tasks, too.
 *
 * @example
 * let failures = 0;
 * const patient: CancelPolicy = { onSettled: (task) => (task.outcome.state === "failed" && ++failures === 3 ? "cancel" : "continue") };
 */
export interface CancelPolicy<T = unknown> {
  /** As in `JoinPolicy`. A failure is on record before it is asked. */
  onSettled(task: SettledTask<T>): "continue" | "cancel";
  readonly result?: undefined;
}

/**
 * Says when a nursery is cancelled because of its tasks, and what comes of them: its `result()` is what the nursery resolves to, or throws. How the tasks
 * end is its business from then on: a failure comes out only through `result()`.
 *
 * It is asked about every task that keeps the nursery open, once, in the order of their ends: also about those that end after it has said `"cancel"`. It is
 * not asked about background tasks, nor about a task that failed before it called `started()`: `start()` throws that. It belongs to
 * one nursery, and is not inherited by those inside. What is not its business cancels the nursery and is thrown, as ever, and
 * `result()` is not asked then: failures of the body, of background tasks and of the policy itself, and a cancellation from outside.
 * If it is the policy that failed, the failures it had been told of are thrown with its own.
 *
 * Its functions are called synchronously, in no scope in particular, and must not wait: a promise is no answer and no result.
 * They may start tasks, to replace one that failed for example.
 *
 * Source: java.util.concurrent.StructuredTaskScope.Joiner (JEP 505).
 *
 * @example
 * function largest(): JoinPolicy<number, number> {
 *   let most = Number.NEGATIVE_INFINITY;
 *   return {
 *     onSettled({ outcome }) {
 *       if (outcome.state === "done") most = Math.max(most, outcome.value);
 *       return "continue";
 *     },
 *     result: () => most,
 *   };
 * }
 */
export interface JoinPolicy<T = unknown, R = unknown> {
  /** A task has ended. `"cancel"` cancels the nursery, as its own `cancel()` would: what its tasks have begun is called off. */
  onSettled(task: SettledTask<T>): "continue" | "cancel";
  /** Asked once, when the body and all tasks have ended, before the cleanups; also when the nursery's own `cancel()` or deadline cut it short. */
  result(): R;
  /**
   * Whether the value of a task is part of the result. Asked after `result()` for each task with a disposable value that nobody joined: what is not kept is
   * disposed with the cleanups. Default: all values are kept. If the nursery throws after all, everything is disposed.
   */
  keeps?(task: SettledTask<T>): boolean;
}

export type Policy = CancelPolicy | JoinPolicy;

/** The options of a nursery that ends with the result of its policy. */
export interface PolicyOptions<T, R> extends Omit<NurseryOptions, "policy"> {
  readonly policy: JoinPolicy<T, R>;
}

/** A nursery with a policy that wants tasks that give a `T`. An open one has an `R` as its result. */
export interface PolicyNursery<T, R = never> extends Omit<Nursery, "startSoon" | "start" | "join"> {
  startSoon<U extends T>(fn: (task: Task) => Awaitable<U>, options?: TaskOptions & { readonly background?: false | undefined }): Task<U>;
  /** A background task is not the policy's, so it may give anything. */
  startSoon<U>(fn: (task: Task) => Awaitable<U>, options: TaskOptions & { readonly background: true }): Task<U>;
  start<V>(
    fn: (task: Task, started: (value: V) => void) => Awaitable<T>,
    options?: TaskOptions & Cancellable & { readonly background?: false | undefined },
  ): Promise<V>;
  start<V>(
    fn: (task: Task, started: (value: V) => void) => Awaitable<unknown>,
    options: TaskOptions & Cancellable & { readonly background: true },
  ): Promise<V>;
  /** Resolves to the result of the policy. */
  join(): Promise<R>;
}
