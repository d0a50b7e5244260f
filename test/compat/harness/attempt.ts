import { performance } from "node:perf_hooks";
import { type Nursery, OperationAborted, run, type Task, type TaskState } from "creche";
import { rejectionOf } from "./describe.js";
import { letPass } from "./let-pass.js";

/** One run of a nursery with one task, and what is to be thought of it. */
export interface Plan {
  /** The task. Its nursery is the second argument. */
  readonly act: (task: Task, nursery: Nursery) => Promise<unknown>;
  /** Cancelled before the task begins, never, or when this resolves; it is told whether the task is over already. */
  readonly cancelled: "before" | "never" | ((isOver: () => boolean) => Promise<unknown>);
  /** Says what is wrong, if something is. */
  readonly judge: (facts: Facts) => string | undefined;
}

export interface Facts {
  readonly end: { readonly kind: "resolved" | "never" } | { readonly kind: "rejected"; readonly error: unknown };
  readonly task: TaskState;
  /** Whether the task had ended already when it was cancelled. */
  readonly wasOver: boolean;
}

export interface Attempt {
  readonly complaint: string | undefined;
  /** Milliseconds from the cancellation, or else from the start, to the end of the nursery. */
  readonly ms: number;
  /** What the operation rejected with; under `cancellable` the operation itself. */
  readonly rejection: string | undefined;
  readonly isOver: boolean;
}

/** The last thing that an operation rejected with: what the API gave, before anybody has judged it. */
export class Raw {
  #rejection: { readonly error: unknown } | undefined = undefined;

  /** Passes on what `operation` does. */
  async of<T>(operation: () => T | PromiseLike<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      this.#rejection = { error };
      throw error;
    }
  }

  get rejection(): { readonly error: unknown } | undefined {
    return this.#rejection;
  }
}

export async function attempt({ act, cancelled, judge }: Plan, raw: Raw, limit: number): Promise<Attempt> {
  let task: Task | undefined;
  let wasOver = false;
  let since = performance.now();
  const ended = run(async (nursery) => {
    if (cancelled === "before") nursery.cancel("stop");
    const started = nursery.startSoon((own) => act(own, nursery));
    task = started;
    if (typeof cancelled === "string") return;
    await cancelled(() => isOver(started));
    wasOver = isOver(started);
    since = performance.now();
    nursery.cancel("stop");
  });
  const end = await within(limit, ended);
  const ms = performance.now() - since;
  const { signal, state } = task as unknown as Task;
  return {
    complaint: judge({ end, task: state, wasOver }),
    ms,
    rejection: raw.rejection === undefined ? undefined : rejectionOf(originalOf(raw.rejection.error), signal),
    isOver: end.kind !== "never",
  };
}

function originalOf(error: unknown): unknown {
  return error instanceof OperationAborted ? error.original : error;
}

function isOver({ state }: Task): boolean {
  return state !== "pending" && state !== "running";
}

async function within(ms: number, ended: Promise<unknown>): Promise<Facts["end"]> {
  const enough = new AbortController();
  const never = letPass(ms, enough.signal).then((): Facts["end"] => ({ kind: "never" }));
  const settled = ended.then(
    (): Facts["end"] => ({ kind: "resolved" }),
    (error): Facts["end"] => ({ kind: "rejected", error }),
  );
  try {
    return await Promise.race([settled, never]);
  } finally {
    enough.abort();
  }
}
