import type { Task } from "../kernel/task.js";
import type { Awaitable } from "../kernel/types.js";

/**
 * What a combinator runs: a function, which is called with the scope of the task that it becomes. A promise will not do: what it stands for is running
 * already, so it cannot be cancelled, nor made to end in time.
 */
export type TaskFunction<T = unknown> = (scope: Task) => Awaitable<T>;

/** What one of them resolves to. */
export type ResultOf<F extends TaskFunction> = Awaited<ReturnType<F>>;

/** Functions in order, or by name. */
export type TaskFunctions = readonly TaskFunction[] | readonly [] | Readonly<Record<string, TaskFunction>>;

/** What each of them resolves to, in its place or by its name. */
export type ResultsOf<F extends TaskFunctions> = { -readonly [K in keyof F]: F[K] extends TaskFunction ? ResultOf<F[K]> : never };
