import { isAmbientSupported } from "#context";
import { deliverTogether } from "./deliver.js";
import { ENTERED, EXPLICIT, FOREIGN, TEMPORARY } from "./flags.js";
import { CancelScope } from "./scope.js";
import { Tree } from "./tree.js";

const links = new WeakMap<AbortSignal, SignalLink>();

let listening = 0;

/** How many foreign signals are listened to at the moment: for those who look for what is left behind. */
export function listenerCount(): number {
  return listening;
}

/** What hangs on a foreign signal. */
export interface Linked {
  _abortedBy(signal: AbortSignal): void;
}

/**
 * The one place that listens to a signal which is not ours: one listener a signal, however many scopes hang on it (a native listener costs
 * linear time in their number), and none as soon as there is no scope.
 */
export class SignalLink {
  readonly #signal: AbortSignal;
  readonly #scopes = new Set<Linked>();
  /** Listeners of one of its scopes find all of them cancelled. */
  readonly #onAbort = () => {
    deliverTogether(() => {
      for (const scope of this.#scopes) scope._abortedBy(this.#signal);
    });
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Has a scope that has just been entered cancelled with the signal, until its end. */
  hang(scope: Linked): void {
    if (this.#signal.aborted) scope._abortedBy(this.#signal);
    else this.add(scope);
  }

  add(scope: Linked): void {
    if (this.#scopes.size === 0) {
      listening++;
      this.#signal.addEventListener("abort", this.#onAbort);
    }
    this.#scopes.add(scope);
  }

  delete(scope: Linked): void {
    if (!this.#scopes.delete(scope) || this.#scopes.size > 0) return;
    listening--;
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Where a tree or a call begins: a scope that stands for the foreign signal that was given to it, if one was, for the duration of that. Not a class of its
 * own: the engine gives up on a constructor through which too many classes are made.
 */
export function signalScope(signal: AbortSignal | undefined, under: CancelScope | Tree): CancelScope {
  const scope = new CancelScope();
  scope._flags |= TEMPORARY | FOREIGN;
  if (under instanceof Tree) {
    scope._tree = under;
    scope._flags |= isAmbientSupported ? ENTERED : ENTERED | EXPLICIT;
  } else scope._enter(under);
  if (signal?.aborted) scope._abortedBy(signal);
  else if (signal !== undefined) {
    scope._rarely.link = linkOf(signal);
    scope._rarely.link.add(scope);
  }
  return scope;
}

export function linkOf(signal: AbortSignal): SignalLink {
  let link = links.get(signal);
  if (link === undefined) {
    link = new SignalLink(signal);
    links.set(signal, link);
  }
  return link;
}
