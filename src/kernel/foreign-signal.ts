import { isAmbientSupported } from "#context";
import { cancellation, isCancelled } from "./cancelled.js";
import { deliverTogether } from "./deliver.js";
import { ENTERED, EXPLICIT, TEMPORARY } from "./flags.js";
import { childrenOf, shutDown } from "./floating.js";
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
  abortedBy(signal: AbortSignal): void;
}

/**
 * The one place that listens to a signal which is not ours: one listener a signal, however many scopes hang on it (a native listener costs
 * linear time in their number), and none as soon as there is no scope.
 */
class SignalLink {
  readonly #signal: AbortSignal;
  readonly #scopes = new Set<Linked>();
  /** Listeners of one of its scopes find all of them cancelled. */
  readonly #onAbort = () => {
    deliverTogether(() => {
      for (const scope of this.#scopes) scope.abortedBy(this.#signal);
    });
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
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

/** Where a tree or a call begins: stands for the foreign signal that was given to it, if one was, for the duration of that. */
export class SignalScope extends CancelScope implements Linked {
  readonly #link: SignalLink | undefined;

  constructor(signal: AbortSignal | undefined, under: CancelScope | Tree) {
    super();
    this._flags |= TEMPORARY;
    if (under instanceof Tree) {
      this._tree = under;
      this._flags |= isAmbientSupported ? ENTERED : ENTERED | EXPLICIT;
    } else this._enter(under);
    if (signal === undefined) this.#link = undefined;
    else if (signal.aborted) {
      this.#link = undefined;
      this.abortedBy(signal);
    } else {
      this.#link = linkOf(signal);
      this.#link.add(this);
    }
  }

  override get name(): string {
    return "signal";
  }

  abortedBy(signal: AbortSignal): void {
    cancelBy(signal, this);
  }

  /** It ends with what was begun under the signal, which floats as well. */
  override _abandon(cause: unknown): void {
    for (const child of childrenOf(this)) shutDown(child, cause);
  }

  release(): void {
    this.#link?.delete(this);
    this._end();
  }
}

/** A cancellation of ours that came through a signal derived from ours goes on as it is. */
export function cancelBy(signal: AbortSignal, scope: CancelScope): void {
  const { reason } = signal;
  scope._cancelWith(isCancelled(reason) ? reason : cancellation("signal", scope._path, reason, scope._tree));
}

export function linkOf(signal: AbortSignal): SignalLink {
  let link = links.get(signal);
  if (link === undefined) {
    link = new SignalLink(signal);
    links.set(signal, link);
  }
  return link;
}
