import { ambientScope, withAmbientScope } from "#context";
import { UsageError } from "./errors.js";
import { DEBUG, EXPLICIT, MAIN } from "./flags.js";
import { signalScope } from "./foreign-signal.js";
import { release, scopeOf } from "./lookup.js";
import { Nursery, type NurseryOptions } from "./nursery.js";
import { productionRuntime } from "./production-runtime.js";
import { quietly } from "./quiet.js";
import { runScope } from "./run-scope.js";
import type { Runtime } from "./runtime.js";
import { CancelScope, scopeOfSignal } from "./scope.js";
import { Task } from "./task.js";
import { Tree } from "./tree.js";
import type { Awaitable } from "./types.js";
import { requireFunction } from "./validate.js";
import { forgetLastWait } from "./waiter.js";

export interface RunOptions extends NurseryOptions {
  /** `false`: the scope is always passed, as in a browser, and async contexts are left alone. Default `true` where the platform has them. */
  readonly ambient?: boolean | undefined;
  /** Inside another scope: a root of its own all the same, which nothing there cancels or waits for. */
  readonly detached?: boolean | undefined;
  /** Keeps the places where scopes and tasks are made, for reports; some microseconds each. Default: whether CRECHE_DEBUG=1 is set. */
  readonly debug?: boolean | undefined;
  /** The door to time and waiting; the real one by default. For a root only. */
  readonly runtime?: Runtime | undefined;
}

/**
 * Runs `body` in a nursery: the way from plain async code into the tree of scopes, and the only way to make a root. Inside another
 * scope, or with the signal of one, it is a child of that, unless `detached`. The body is the main task.
 *
 * It settles when everything in it has ended, and then nothing of it is left: no task, no timer, no listener. It rejects as
 * `openNursery` does, and with `Cancelled` if `options.signal` was aborted, or the scope around it has ended before it. A `Cancelled` that
 * nobody awaits is never reported as unhandled.
 *
 * Source: trio.run.
 *
 * @throws UsageError if `body` is no function, or `runtime` is given to a run that is no root
 * @example
 * await run(async (nursery) => {
 *   nursery.startSoon(async (task) => { await fetch(url, task); });
 *   nursery.startSoon(async () => { await sleep(500); });
 * });
 */
export function run<T>(body: (root: Nursery) => Awaitable<T>, options: RunOptions = {}): Promise<T> {
  try {
    requireFunction(body, RUN.caller);
    const nursery = rootNursery(options);
    const parent = parentOf(options);
    const begin = () =>
      (parent === undefined ? quietly(() => runRoot(nursery, body, options)) : runScope(nursery, body, parent, RUN)) as Promise<T>;
    // Whatever is ambient outside must not be found inside, where scopes are passed.
    const isHiding = options.ambient === false && ambientScope() !== undefined;
    return isHiding ? withAmbientScope(undefined, begin, undefined) : begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

const RUN = { caller: "run()" };

/** The scope that the run is below, or `undefined` for a root. */
function parentOf(options: RunOptions): CancelScope | undefined {
  const { signal, detached, runtime } = options;
  if (detached === true) return undefined;
  if (ambientScope() === undefined && (signal === undefined || !scopeOfSignal.has(signal))) return undefined;
  if (runtime === undefined) return scopeOf(options);
  throw new UsageError("a run inside another one shares its runtime: give `runtime` to the outer one, or `detached: true` to this one");
}

async function runRoot<T>(nursery: Nursery, body: (root: Nursery) => Awaitable<T>, options: RunOptions): Promise<T | undefined> {
  const runtime = options.runtime ?? productionRuntime;
  const root = signalScope(options.signal, new Tree(runtime));
  root._flags |= nursery._flags & (EXPLICIT | DEBUG);
  const main = new Task("main", 0, false);
  main._flags |= MAIN;
  main._state = "running";
  runtime.runBegan();
  try {
    const value = await runScope(main, () => runScope(nursery, body, main, RUN), root, RUN);
    main._endMain("done", value);
    return value;
  } catch (error) {
    main._endMain("failed", error);
    throw error;
  } finally {
    release(root);
    runtime.runEnded();
    forgetLastWait();
  }
}

function rootNursery(options: RunOptions): Nursery {
  const { name = "root", ...others } = options instanceof CancelScope ? {} : options;
  if (others.policy?.result !== undefined)
    throw new UsageError("run() resolves to the value of its body: a policy that has a result() is for openNursery()");
  const nursery = new Nursery({ ...others, name });
  if (options.ambient === false) nursery._flags |= EXPLICIT;
  if (options.debug ?? isDebugging()) nursery._flags |= DEBUG;
  return nursery;
}

/** Development mode, for a whole process. Deno would ask its user for the permission to look, so it is not asked there. */
function isDebugging(): boolean {
  const { process, Deno } = globalThis as { process?: { env?: Record<string, string | undefined> }; Deno?: unknown };
  return Deno === undefined && process?.env?.["CRECHE_DEBUG"] === "1";
}
