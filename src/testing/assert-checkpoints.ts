import { ambientScope } from "#context";
import { type Awaitable, type Cancellable, Cancelled, CancelScope, run } from "../index.js";
import { runScope } from "../kernel/run-scope.js";
import { requireFunction } from "../kernel/validate.js";
import { AssertionError } from "./errors/assertion-error.js";
import { CheckpointCount, countIn } from "./injection/counting-runtime.js";

/** How many operations a message names. */
const SHOWN = 5;

type Body<T> = (scope: CancelScope) => Awaitable<T>;
/** What is wrong with a count, if anything is. */
type Judge = (count: CheckpointCount) => string | undefined;

/**
 * Runs `body`, and asserts that it has been a checkpoint: that on its way it has looked whether it is cancelled, and has let others run. Every async function of a
 * library should be one on every path, also where it has nothing to wait for, and where it fails: else a loop over it can neither be cancelled nor share the processor.
 *
 * What `body` awaits of the platform or of others (`fetch`, a raw promise) does not count. Works in real time and in `simulate`.
 *
 * Source: trio.testing.assert_checkpoints.
 *
 * @throws AssertionError if there was none; if `body` failed as well, that is its `cause`
 * @throws whatever `body` throws otherwise; a cancellation always comes as it is
 * @example
 * await run(async () => {
 *   await cache.read("a");
 *   await assertCheckpoints(() => cache.read("a")); // a hit is a checkpoint, too
 * });
 */
export function assertCheckpoints<T>(body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T> {
  return counted("assertCheckpoints()", body, scope, ({ looks, waits }) => {
    if (looks > 0 && waits.length > 0) return undefined;
    const what =
      looks > 0
        ? "looked whether it is cancelled, but let nobody else run"
        : waits.length > 0
          ? "let others run, but never looked whether it is cancelled"
          : "neither looked whether it is cancelled nor let others run";
    return `there was no checkpoint: the body ${what}. Where there is nothing to wait for: await checkpoint()`;
  });
}

/**
 * Runs `body`, and asserts that it has no checkpoint: that nothing in it can be cancelled, and nobody else runs meanwhile, so that what it changes it changes at
 * once.
 *
 * Source: trio.testing.assert_no_checkpoints.
 *
 * @throws AssertionError that names the operations, if there was one; if `body` failed as well, that is its `cause`
 * @throws whatever `body` throws otherwise; a cancellation always comes as it is
 * @example
 * await assertNoCheckpoints(() => account.transfer(other, 100));
 */
export function assertNoCheckpoints<T>(body: (scope: CancelScope) => Awaitable<T>, scope?: Cancellable): Promise<T> {
  return counted("assertNoCheckpoints()", body, scope, ({ looks, waits }) => {
    if (looks === 0 && waits.length === 0) return undefined;
    const shown = waits.slice(0, SHOWN).join(", ") + (waits.length > SHOWN ? ", …" : "");
    const what = waits.length === 0 ? "it looked whether it is cancelled" : `others could run at ${waits.length} of them: ${shown}`;
    return `there was a checkpoint: ${what}. What must happen at once uses plain functions, and the forms that never wait: acquireNowait(), sendNowait()`;
  });
}

function counted<T>(caller: string, body: Body<T>, where: Cancellable | undefined, judge: Judge): Promise<T> {
  // In a test that has no scope, one is made.
  if (where === undefined && ambientScope() === undefined) return run((root) => counted(caller, body, root, judge));
  const scope = new CancelScope();
  const observed = async (): Promise<T> => {
    requireFunction(body, caller);
    const count = new CheckpointCount(scope);
    const stop = countIn(scope, count);
    let failure: { readonly cause: unknown } | undefined;
    let value: T | undefined;
    try {
      value = await body(scope);
    } catch (cause) {
      if (cause instanceof Cancelled) throw cause;
      failure = { cause };
    } finally {
      stop();
    }
    const complaint = judge(count);
    if (complaint !== undefined) throw new AssertionError(complaint, failure);
    if (failure !== undefined) throw failure.cause;
    return value as T;
  };
  return runScope(scope, observed, where, { caller }) as Promise<T>;
}
