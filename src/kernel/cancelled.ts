import { describe } from "./describe.js";

/** Why a scope was cancelled: on purpose, by its deadline, by a failure beside it, by the end of what it belongs to, or by a foreign signal. */
export type CancelKind = "cancel" | "deadline" | "failure" | "shutdown" | "signal";

/**
 * What a checkpoint throws in a cancelled scope, and what `scope.signal.reason` is: one object per cancellation, passed on unchanged.
 *
 * Catch it only to clean up, and throw it on. Its `name` is `"AbortError"`, so the ecosystem neither logs nor retries it.
 * It is extensible on purpose: Node's `fetch` replaces a frozen reason by a `TypeError`.
 */
export class Cancelled extends DOMException {
  readonly kind: CancelKind;
  /** Path of the scope that was cancelled, as `root > http > req#17`. */
  readonly scope: string;
  /** What was passed to `cancel(reason)`, the failure beside it, or the foreign signal's reason. */
  declare readonly cause: unknown;
  #tree: object | undefined;
  readonly #site: Error | undefined;

  /** @internal */
  constructor(kind: CancelKind, scope: string, cause: unknown, tree: object | undefined, site?: Error) {
    super(message(kind, scope, cause), "AbortError");
    this.kind = kind;
    this.scope = scope;
    // As an error has it: its own where there is one, and not enumerable.
    Object.defineProperty(this, "cause", { value: cause, enumerable: false, configurable: true, writable: true });
    this.#tree = tree;
    this.#site = site;
    // Bun gives an error no stack at all where none is captured, and whoever logs it takes for granted that there is one.
    if (!("stack" in (this as object))) {
      const value = `${this.name}: ${this.message}`;
      Object.defineProperty(this, "stack", { value, enumerable: false, configurable: true, writable: true });
    }
  }

  /** Which tree of scopes it belongs to. An opaque object, compared by identity only: it keeps no scope alive. @internal */
  get _tree(): object | undefined {
    return this.#tree;
  }

  set _tree(tree: object | undefined) {
    this.#tree = tree;
  }

  /** Made where `cancel()` was called, never for a deadline. Kept apart from `stack`, which Node's `fetch` overwrites. @internal */
  get _site(): Error | undefined {
    return this.#site;
  }

  /** The stack of the call of `cancel()`; `undefined` for every other kind. */
  get site(): string | undefined {
    return this.#site?.stack?.replace(/^.*\n/, "");
  }
}

/** Safe also for a Proxy that was revoked, of which nothing can be asked. */
export function isCancelled(error: unknown): error is Cancelled {
  try {
    return error instanceof Cancelled;
  } catch {
    return false;
  }
}

function message(kind: CancelKind, scope: string, cause: unknown): string {
  const because = cause === undefined ? "" : `: ${describe(cause)}`;
  switch (kind) {
    case "cancel":
      return `cancelled: cancel() was called on ${scope}${because}`;
    case "deadline":
      return `cancelled: the deadline of ${scope} passed`;
    case "failure":
      return `cancelled: something in ${scope} failed${because}`;
    case "shutdown":
      return `cancelled: what ${scope} belongs to has ended${because}`;
    case "signal":
      return `cancelled: the signal given to ${scope} was aborted${because}`;
  }
}

/** Makes a `Cancelled` without the cost of its stack, which says nothing: it would be that of a timer or of the kernel. @internal */
export function cancellation(kind: CancelKind, scope: string, cause: unknown, tree: object | undefined, site?: Error): Cancelled {
  return withoutStack(() => new Cancelled(kind, scope, cause, tree, site));
}

function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // Frozen intrinsics: the stack is captured then, which only costs time.
  }
  try {
    return make();
  } finally {
    try {
      Error.stackTraceLimit = limit;
    } catch {
      // As above.
    }
  }
}
