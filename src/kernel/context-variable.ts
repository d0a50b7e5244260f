import { ambientScope, isAmbientSupported } from "#context";
import { release, scopeOf } from "./lookup.js";
import { runNew } from "./run-scope.js";
import { CancelScope } from "./scope.js";
import type { ScopeNode } from "./scope-node.js";
import type { Awaitable, Cancellable } from "./types.js";

/** What a scope knows of context variables: that one has a value here, and where to go on with the others, if that is not the scope around it. */
export interface Binding {
  readonly variable: object | undefined;
  readonly value: unknown;
  readonly outer: ScopeNode | undefined;
}

/**
 * A value that is known in a part of the tree of scopes, without being passed through it: the id of a request, a tenant, a logger.
 *
 * It is looked up from the scope outwards, so it does without `AsyncLocalStorage` wherever scopes are passed as arguments. A task is in its nursery: what it finds
 * is what holds around the nursery, whoever started it, from wherever, by `startSoon` or by `start`. So it can never find a value whose scope has ended before it.
 *
 * Pitfall: a value that is set around `startSoon` is not that of the task. Set it around the nursery, or in the task.
 *
 * @example
 * const requestId = new ContextVariable({ name: "requestId", defaultValue: "-" });
 *
 * // Wrong: the task finds "-", or what holds around the nursery.
 * await requestId.run("17", () => nursery.startSoon(handle));
 * // Right.
 * nursery.startSoon(() => requestId.run("17", () => handle()));
 *
 * Source: TC39's AsyncContext.Variable; java.lang.ScopedValue, which a StructuredTaskScope inherits where it is opened (JEP 505, 506).
 */
export interface ContextVariable<T> {
  /** What it was called, `""` if nothing. */
  readonly name: string;
  /**
   * Runs `body` in a scope of its own, in which the variable has `value`: in everything that is opened or started there, until another `run` of the variable
   * further inside. Resolves to what `body` returns; to `undefined` if it cancels the scope that it is passed. Entering and leaving are no checkpoints.
   *
   * @param scope the scope around it; by default the ambient one
   * @throws MissingScopeError if there is no scope around it
   */
  run<R>(value: T, body: (scope: CancelScope) => Awaitable<R>, scope?: Cancellable): Promise<R>;
  /**
   * The value that holds in the scope, else the default value: also in a scope that is cancelled, or has ended. No checkpoint. It takes a few nanoseconds for each scope
   * on the way outwards.
   *
   * Outside of any run it is the default value, if one was given.
   *
   * @throws MissingScopeError if there is no scope to look in, and no default value; where scopes are passed as arguments, always if none is
   */
  get(scope?: Cancellable): T;
}

export interface ContextVariableOptions {
  readonly name?: string | undefined;
}

interface ContextVariableConstructor {
  new <T>(options: ContextVariableOptions & { readonly defaultValue: T }): ContextVariable<T>;
  new <T>(options?: ContextVariableOptions): ContextVariable<T | undefined>;
  readonly prototype: ContextVariable<unknown>;
}

type Variable<T> = ContextVariable<T>;

// An expression, so that its name is that of what it makes, also where that is printed.
export const ContextVariable: ContextVariableConstructor = class ContextVariable<T> implements Variable<T> {
  readonly name: string;
  readonly #hasDefault: boolean;
  readonly #defaultValue: T;

  constructor(options: ContextVariableOptions & { readonly defaultValue?: T } = {}) {
    this.name = options.name === undefined ? "" : String(options.name);
    this.#hasDefault = "defaultValue" in options;
    this.#defaultValue = options.defaultValue as T;
  }

  run<R>(value: T, body: (scope: CancelScope) => Awaitable<R>, scope?: Cancellable): Promise<R> {
    const make = () => {
      const bound = new CancelScope();
      bound._rarely.binding = { variable: this, value, outer: undefined };
      return bound;
    };
    return runNew(make, body, scope, { caller: "variable.run()" }) as Promise<R>;
  }

  get(scope?: Cancellable): T {
    if (scope === undefined) {
      const ambient = ambientScope();
      if (ambient !== undefined) return this.#find(ambient);
      if (isAmbientSupported && this.#hasDefault) return this.#defaultValue;
    }
    const at = scopeOf(scope);
    const value = this.#find(at);
    release(at);
    return value;
  }

  #find(scope: ScopeNode): T {
    for (let at: ScopeNode | undefined = scope; at !== undefined; ) {
      const binding: Binding | undefined = at._rare?.binding;
      if (binding === undefined) at = at._parent;
      else if (binding.variable === this) return binding.value as T;
      else at = binding.outer ?? at._parent;
    }
    return this.#defaultValue;
  }
};
