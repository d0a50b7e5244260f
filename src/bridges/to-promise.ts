import { isCancelled } from "../kernel/cancelled.js";
import { describe } from "../kernel/describe.js";
import { signalScope } from "../kernel/foreign-signal.js";
import { Nursery } from "../kernel/nursery.js";
import { openNursery } from "../kernel/open-nursery.js";
import { quiet } from "../kernel/quiet.js";
import { run } from "../kernel/run.js";
import type { Task } from "../kernel/task.js";
import type { Awaitable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import { requireSignal } from "./require-signal.js";

export interface ToPromiseOptions {
  /** Cancels the body. It is then that which the promise rejects with: the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /** The nursery that owns the work: a task of it runs the body. Default: none, the body is a run of its own. */
  readonly nursery?: Nursery | undefined;
  readonly name?: string | undefined;
}

/**
 * Runs `body` for a caller who knows nothing but promises and signals: a framework's handler, a queue, another library. Two things are different from `run`.
 *
 * * When `signal` is aborted, the promise rejects with `signal.reason` itself, as those of the platform do, so `error === signal.reason` holds, and
 *   the `TimeoutError` of an `AbortSignal.timeout` is one. `run` rejects with a `Cancelled`, which has it as its cause.
 * * Whose the work is does not depend on where the call happens to be made. Foreign code calls back in whatever async context it has: `run` would make it the
 *   child of a scope that is ambient there by chance. Here it is the child of none, or a task of `nursery`: then that waits for it, and cancels it, but
 *   does not fail with it, for a failure has been told to the caller.
 *
 * The promise settles when everything in the body has ended. A signal that is aborted already rejects without a call of `body`. A body that returns a value all the same
 * has it returned. If `nursery` is cancelled, the promise rejects with `Cancelled`, which is an `AbortError` to others.
 *
 * Source: anyio.from_thread.BlockingPortal.start_task_soon; the convention of the DOM standard for promises and AbortSignal.
 *
 * @throws NurseryClosedError if `nursery` has ended
 * @example
 * const server = http.createServer((request, response) => {
 *   toPromise(() => answer(request, response), { nursery }).catch((error) => response.destroy(error));
 * });
 *
 * @example
 * useQuery({ queryKey, queryFn: ({ signal }) => toPromise(() => loadAll(ids), { signal }) });
 */
export function toPromise<T>(body: (nursery: Nursery) => Awaitable<T>, options: ToPromiseOptions = {}): Promise<T> {
  const { signal } = options;
  const promise = watched();
  return promise;

  async function watched(): Promise<T> {
    try {
      return await begin(body, options);
    } catch (error) {
      const reason = wasAborted(error, signal) ? signal?.reason : error;
      if (isCancelled(error) || (signal?.aborted && error === signal.reason)) quiet(promise);
      throw reason;
    }
  }
}

async function begin<T>(body: (nursery: Nursery) => Awaitable<T>, { signal, nursery, name }: ToPromiseOptions): Promise<T> {
  requireFunction(body, "toPromise()");
  if (signal !== undefined) requireSignal(signal, "`signal` of toPromise()");
  if (nursery !== undefined && !(nursery instanceof Nursery)) {
    throw new TypeError(`\`nursery\` of toPromise() is a nursery, not ${describe(nursery)}`);
  }
  signal?.throwIfAborted();
  return nursery === undefined ? run(body, { signal, name, detached: true }) : runIn(nursery, body, signal, name);
}

function runIn<T>(
  nursery: Nursery,
  body: (nursery: Nursery) => Awaitable<T>,
  signal: AbortSignal | undefined,
  name: string | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const work = (task: Task) =>
      // It returns no value: that is the caller's, and not the nursery's to dispose.
      openNursery(body, signal === undefined ? task : signalScope(signal, task)).then(resolve, (error) => {
        reject(error);
        // A cancellation that came from the nursery is the nursery's, everything else has been told to the caller.
        if (task._reason !== undefined && isCancelled(error)) throw error;
      });
    nursery.startSoon(work, { name });
  });
}

function wasAborted(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && isCancelled(error) && error.kind === "signal" && error.cause === signal.reason;
}
