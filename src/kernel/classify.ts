import { type Cancelled, isCancelled } from "./cancelled.js";
import { distinct } from "./distinct.js";
import { ErrorGroup, leaves, membersOf } from "./error-group.js";
import type { ScopeNode } from "./scope-node.js";

/** What an error that leaves a scope is: a cancellation, as the object that goes on, or a failure, as the error that is kept. */
export type Verdict =
  | { readonly isCancellation: true; readonly reason: Cancelled; readonly assumed: number }
  | { readonly isCancellation: false; readonly error: unknown; readonly assumed: number };

/**
 * Whose cancellation is it? The verdict on an error that leaves `scope`, to be asked where the rejection is first seen, synchronously:
 *
 *  0. the scope is not cancelled at this instant: a failure, whatever it looks like;
 *  1. it is a `Cancelled` of this tree: a cancellation. Whose object it is does not matter, the state of the tree decides which scope catches it;
 *  2. its chain of causes reaches such an object: the same;
 *  3. an aggregate or a SuppressedError: by its leaves. A mixed one keeps the genuine ones only, each once, an empty one is a failure. Its own
 *     chain of causes does not count: whatever it leads to, what is genuine in the aggregate must not be lost;
 *  4. it has the shape of an abort: ours, because the scope is cancelled; counted as `assumed`, for the reports;
 *  5. anything else is a failure.
 */
export function classify(error: unknown, scope: ScopeNode): Verdict {
  const own = scope._reason;
  if (own === undefined) return { isCancellation: false, error, assumed: 0 };
  if (error === own) return { isCancellation: true, reason: own, assumed: 0 };
  const parts = membersOf(error) === undefined ? [error] : leaves(error);
  const genuine: unknown[] = [];
  let reason: Cancelled | undefined;
  let assumed = 0;
  for (const part of parts) {
    const found = reasonOf(part, scope);
    if (found === undefined) genuine.push(part);
    else if (found === ASSUMED) assumed++;
    else reason ??= found;
  }
  if (genuine.length === 0 && parts.length > 0) return { isCancellation: true, reason: reason ?? own, assumed };
  return { isCancellation: false, error: genuine.length === parts.length ? error : remaining(error, genuine, scope), assumed };
}

/** What a mixed aggregate comes to without its cancellations, each error once. The aggregate itself is left as it is. */
function remaining(error: unknown, genuine: readonly unknown[], scope: ScopeNode): unknown {
  const errors = distinct(genuine);
  if (errors.length === 1) return errors[0];
  if (error instanceof ErrorGroup && errors.length === genuine.length) {
    const kept = new Set(errors);
    return error.split((leaf) => kept.has(leaf))[0];
  }
  return new ErrorGroup(errors, scope._path, { cause: error });
}

const ASSUMED = Symbol("assumed");

const HOPS = 8;

/** The cancellation that a single error stands for in `scope`, if it does: steps 1, 2 and 4. */
function reasonOf(error: unknown, scope: ScopeNode): Cancelled | typeof ASSUMED | undefined {
  let isShaped = false;
  let isTimeout = false;
  const seen: unknown[] = [];
  let next = error;
  for (let hop = 0; hop <= HOPS && typeof next === "object" && next !== null && !seen.includes(next); hop++) {
    if (next === scope._reason || (isCancelled(next) && next._tree === scope._tree)) return next as Cancelled;
    isTimeout ||= read(next, "name") === "TimeoutError";
    isShaped ||= !isTimeout && isAbortShaped(next);
    seen.push(next);
    next = read(next, "cause");
  }
  return isShaped ? ASSUMED : undefined;
}

const NAMES = new Set<unknown>(["AbortError", "CanceledError", "CancelledError", "APIUserAbortError"]);
const CODES = new Set<unknown>(["ABORT_ERR", "ERR_CANCELED", "ERR_ABORTED", "UND_ERR_ABORTED", "AbortError"]);

function isAbortShaped(error: object): boolean {
  return (
    NAMES.has(read(error, "name")) ||
    CODES.has(read(error, "code")) ||
    read(error, "__CANCEL__") === true ||
    read(error, "isCanceled") === true ||
    // The abort errors of the OpenAI client and of node-redis are named "Error"; their class is what tells them.
    NAMES.has(read(read(error, "constructor"), "name"))
  );
}

/** A property, or `undefined` if it cannot be read: an error's getters may throw. */
function read(target: unknown, key: string): unknown {
  try {
    return (target as Record<string, unknown> | undefined)?.[key];
  } catch {
    return undefined;
  }
}
