import type { Cancelled } from "./cancelled.js";
import type { Verdict } from "./classify.js";
import { ErrorGroup } from "./error-group.js";
import { CALLED, CAUGHT, FLOATING } from "./flags.js";
import type { ScopeNode } from "./scope-node.js";

/** What has been gathered about how a scope ends: its failures in order of occurrence, and a cancellation that reached its boundary. */
export class Outcome {
  /** A set, because the same error counts once, and is told once though it was joined and thrown on. Made at the first failure. */
  #errors: Set<unknown> | undefined = undefined;
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
    this.#errors ??= new Set();
    this.#errors.add(error);
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
    const errors = [...(this.#errors as Set<unknown>)];
    return errors.length === 1 && !scope._isGrouping ? errors[0] : new ErrorGroup(errors, scope._path);
  }

  /**
   * The end of `scope`, by the state of the tree at this instant. Failures win over cancellations. A cancellation is caught iff the scope's own
   * was called and none from outside is visible in it; otherwise it is thrown on. Returns whether one was caught.
   */
  close(scope: ScopeNode): boolean {
    if (this.#errors !== undefined) throw this.error(scope);
    if (this.#cancelled === undefined) return false;
    // Nobody awaits a floating scope any more: what it would throw on could only be reported as unhandled.
    const isAwaited = (scope._flags & FLOATING) === 0;
    if (isAwaited && ((scope._flags & CALLED) === 0 || scope._isCancelledOutside)) throw this.#cancelled;
    scope._flags |= CAUGHT;
    return true;
  }
}
