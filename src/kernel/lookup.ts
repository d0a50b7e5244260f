import { ambientScope, isAmbientSupported } from "#context";
import { describe } from "./describe.js";
import { MissingScopeError, UsageError } from "./errors.js";
import { ENTERED, TEMPORARY } from "./flags.js";
import { signalScope } from "./foreign-signal.js";
import { productionRuntime } from "./production-runtime.js";
import { quietly, refuse } from "./quiet.js";
import { CancelScope, scopeOfSignal } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";
import { Tree } from "./tree.js";
import type { Cancellable } from "./types.js";

/**
 * The scope that `where` names: a scope, its signal, or else the ambient one. A foreign signal gets a scope of its own, below the ambient one;
 * whoever asked has to `release` it at the end of what it asked for.
 */
export function scopeOf(where: Cancellable | undefined): CancelScope {
  if (where === undefined) return ambientScope() ?? missing();
  if (where instanceof CancelScope) return entered(where);
  if (where === null || typeof where !== "object") {
    throw new TypeError(`a scope, or an object with a \`signal\`, is expected as the last argument, not ${describe(where)}`);
  }
  const { signal } = where;
  if (signal === undefined) return ambientScope() ?? missing();
  const known = scopeOfSignal.get(signal);
  if (known !== undefined) return entered(known);
  if (typeof signal?.addEventListener !== "function" || typeof signal.aborted !== "boolean") {
    throw new TypeError(`\`signal\` is expected to be an AbortSignal, not ${describe(signal)}`);
  }
  return signalScope(signal, ambientScope() ?? new Tree(productionRuntime));
}

/** Lets go of a scope that `scopeOf` made. */
export function release(scope: ScopeNode): void {
  if ((scope._flags & TEMPORARY) !== 0) scope._end();
}

/** One operation of the library: what it does in a scope that admits it. */
export type Operation<A, T, B = undefined> = (scope: CancelScope, argument: A, more: B) => Promise<T>;

/**
 * Runs one operation in the scope that `where` names. Whatever keeps it from beginning is a rejection, never a throw.
 * Takes two arguments, so that a `send` needs no object or closure to carry its channel and its value.
 */
export function operate<A, T>(where: Cancellable | undefined, operation: Operation<A, T>, argument: A): Promise<T>;
export function operate<A, T, B>(where: Cancellable | undefined, operation: Operation<A, T, B>, argument: A, more: B): Promise<T>;
export function operate<A, T, B>(where: Cancellable | undefined, operation: Operation<A, T, B>, argument: A, more?: B): Promise<T> {
  let scope: CancelScope;
  try {
    scope = scopeOf(where);
  } catch (error) {
    return Promise.reject(error);
  }
  const promise = begin(scope, operation, argument, more as B);
  return (scope._flags & TEMPORARY) === 0 ? promise : releasing(scope, promise);
}

function begin<A, T, B>(scope: CancelScope, operation: Operation<A, T, B>, argument: A, more: B): Promise<T> {
  try {
    const refusal = scope._refusal();
    return refusal === undefined ? operation(scope, argument, more) : refuse(refusal, scope._runtime.turn());
  } catch (error) {
    return refuse(error, scope._runtime.turn());
  }
}

function releasing<T>(scope: ScopeNode, promise: Promise<T>): Promise<T> {
  return quietly(async () => {
    try {
      return await promise;
    } finally {
      release(scope);
    }
  });
}

function entered(scope: CancelScope): CancelScope {
  if ((scope._flags & ENTERED) === 0) {
    throw new UsageError(`the scope ${scope._path} has not been entered: use it inside the body of its run()`);
  }
  return scope;
}

function missing(): never {
  const reason = isAmbientSupported
    ? "Call it inside the body of run(), or pass a scope (or { signal }) as the last argument; after run(..., { ambient: false }) it is always passed."
    : "This platform has nothing that follows a call through its awaits, so pass a scope (or { signal }) as the last argument.";
  throw new MissingScopeError(`there is no scope here, so what this call starts would belong to nobody. ${reason}`);
}
