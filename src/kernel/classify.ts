import { Cancelled } from "./cancelled.js";
import { ErrorGroup, leaves } from "./error-group.js";
import type { ScopeNode } from "./scope-node.js";

/** What an error that leaves a scope is: the cancellation of the scope, as the object that goes on, or a failure, as the error that is kept. */
export type Verdict =
  | { readonly isCancellation: true; readonly reason: Cancelled; readonly error?: never }
  | { readonly isCancellation: false; readonly error: unknown; readonly reason?: never };

/**
 * Whose cancellation is it? The verdict on an error that leaves `scope`, to be asked where the rejection is first seen, synchronously:
 *
 *  0. the scope is not cancelled at this instant: a failure, whatever it looks like;
 *  1. it is a `Cancelled` of this tree: a cancellation. Whose object it is does not matter, the state of the tree decides which scope catches it;
 *  2. its chain of causes reaches such an object: the same;
 *  3. an aggregate or a SuppressedError: by its leaves. A mixed one keeps the genuine ones only, an empty one is a failure;
 *  4. it has the shape of an abort: ours, because the scope is cancelled; counted in `tree.assumedCancellations`;
 *  5. anything else is a failure.
 */
export function classify(error: unknown, scope: ScopeNode): Verdict {
  const own = scope._reason;
  if (own === undefined) return { isCancellation: false, error };
  if (error === own) return { isCancellation: true, reason: own };
  const parts = partsOf(error);
  if (parts === undefined) {
    const reason = reasonOf(error, scope, own);
    return reason === undefined ? { isCancellation: false, error } : { isCancellation: true, reason };
  }
  const reasons = parts.map((part) => reasonOf(part, scope, own));
  const genuine = parts.filter((_, i) => reasons[i] === undefined);
  if (genuine.length === parts.length) return { isCancellation: false, error };
  const [first] = genuine;
  if (genuine.length === 0) return { isCancellation: true, reason: reasons[0] as Cancelled };
  if (genuine.length === 1) return { isCancellation: false, error: first };
  const kept = new Set(genuine);
  const rest = error instanceof ErrorGroup ? error.split((leaf) => kept.has(leaf))[0] : undefined;
  return { isCancellation: false, error: rest ?? new ErrorGroup(genuine, scope._path, { cause: error }) };
}

/** The leaves of an aggregate or a SuppressedError, or `undefined` for any other error. */
function partsOf(error: unknown): unknown[] | undefined {
  if (!isAggregate(error)) return undefined;
  const parts: unknown[] = [];
  const seen = new Set<unknown>();
  const pending: unknown[] = [error];
  while (pending.length > 0) {
    const next = pending.pop();
    if (!isAggregate(next)) parts.push(...leaves(next));
    else if (!seen.has(next)) {
      seen.add(next);
      const inside = Array.isArray(next.errors) ? next.errors : [next.error, next.suppressed];
      for (let i = inside.length - 1; i >= 0; i--) pending.push(inside[i]);
    }
  }
  return parts;
}

interface Aggregate {
  readonly errors?: unknown;
  readonly error?: unknown;
  readonly suppressed?: unknown;
}

function isAggregate(error: unknown): error is Aggregate {
  return error instanceof Error && (Array.isArray(read(error, "errors")) || read(error, "name") === "SuppressedError");
}

const HOPS = 8;

/** The cancellation that a single error stands for in `scope`, if it does: steps 1, 2 and 4. */
function reasonOf(error: unknown, scope: ScopeNode, own: Cancelled): Cancelled | undefined {
  let isShaped = false;
  let isTimeout = false;
  const seen: unknown[] = [];
  let next = error;
  for (let hop = 0; hop <= HOPS && typeof next === "object" && next !== null && !seen.includes(next); hop++) {
    if (next === own || (next instanceof Cancelled && next._tree === scope._tree)) return next as Cancelled;
    isTimeout ||= read(next, "name") === "TimeoutError";
    isShaped ||= !isTimeout && isAbortShaped(next);
    seen.push(next);
    next = read(next, "cause");
  }
  if (!isShaped) return undefined;
  if (scope._tree !== undefined) scope._tree.assumedCancellations++;
  return own;
}

const NAMES = new Set<unknown>(["AbortError", "CanceledError", "CancelledError", "APIUserAbortError"]);
const CODES = new Set<unknown>(["ABORT_ERR", "ERR_CANCELED", "ERR_ABORTED", "UND_ERR_ABORTED", "AbortError"]);

function isAbortShaped(error: object): boolean {
  return (
    NAMES.has(read(error, "name")) ||
    CODES.has(read(error, "code")) ||
    read(error, "__CANCEL__") === true ||
    read(error, "isCanceled") === true ||
    // The OpenAI client names its abort error "Error"; its class is what tells it.
    read(read(error, "constructor"), "name") === "APIUserAbortError"
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
