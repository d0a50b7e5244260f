import { isAmbientSupported } from "#context";
import { type Cancellable, type CancelScope, currentScope } from "../../src/index.js";

/** How a program says in which scope something is to happen: not at all, by the scope as the last argument, or by `{ signal }`. */
export type Mode = "ambient" | "explicit" | "signal";
/** Those that this platform has. */
export const MODES: readonly Mode[] = isAmbientSupported ? ["ambient", "explicit", "signal"] : ["explicit", "signal"];

/** Passes scopes in one of these ways. */
export class Passing {
  readonly #mode: Mode;

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  /** As a last argument. */
  at(scope: CancelScope): Cancellable | undefined {
    if (this.#mode === "ambient") return undefined;
    return this.#mode === "explicit" ? scope : { signal: scope.signal };
  }

  /** Among other options. */
  among<T extends object>(scope: CancelScope, options: T): T & Cancellable {
    return this.#mode === "ambient" ? options : { ...options, signal: scope.signal };
  }

  /** Where code runs that is passed nothing: in the scope that it captured, where none is ambient. */
  unpassed(captured: CancelScope): CancelScope {
    return this.#mode === "ambient" ? currentScope() : captured;
  }
}
