import type { Cancelled } from "./cancelled.js";
import type { Verdict } from "./classify.js";
import { distinct } from "./distinct.js";
import { ErrorGroup } from "./error-group.js";
import { CALLED, CAUGHT, SHUT } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";

/** What has been gathered about how a scope ends: its failures in order of occurrence, and a cancellation that reached its boundary. */
export class Outcome {
  /** Made at the first failure. The same error may be in it twice, because it was joined and thrown on, and is told once. */
  #errors: unknown[] | undefined = undefined;
  #cancelled: Cancelled | undefined = undefined;

  get hasFailed(): boolean {
    return this.#errors !== undefined;
  }

  get isClean(): boolean {
    return this.#errors === undefined && this.#cancelled === undefined;
  }

  /** Whether a cancellation is all that happened. */
  get isCancelled(): boolean {
    return this.#errors === undefined && this.#cancelled !== undefined;
  }

  fail(error: unknown): void {
    this.#errors ??= [];
    this.#errors.push(error);
  }

  cancelled(reason: Cancelled): void {
    this.#cancelled ??= reason;
  }

  settle(verdict: Verdict): void {
    if (verdict.isCancellation) this.cancelled(verdict.reason);
    else this.fail(verdict.error);
  }

  /** The failures as one error: the very object if it is one, a group if they are several. */
  error(scope: ScopeNode): unknown {
    const errors = distinct(this.#errors as unknown[]);
    return errors.length === 1 && !scope._isGrouping ? errors[0] : new ErrorGroup(errors, scope._path);
  }

  /**
   * The end of `scope`, by the state of the tree at this instant. Failures win over cancellations. A cancellation is caught iff the scope's own
   * was called and none from outside is visible in it; otherwise it is thrown on, if anybody would hear that. Returns whether one was caught.
   */
  close(scope: ScopeNode, isHeard: boolean): boolean {
    if (this.#errors !== undefined) throw this.error(scope);
    if (this.#cancelled === undefined) return false;
    if (isHeard && !isOwnCancellation(scope)) throw this.#cancelled;
    scope._flags |= CAUGHT;
    return true;
  }
}

function isOwnCancellation(scope: ScopeNode): boolean {
  return (scope._flags & (CALLED | SHUT)) === CALLED && !scope._isCancelledOutside;
}
