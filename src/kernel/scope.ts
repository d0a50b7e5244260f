/// <reference lib="esnext.disposable" preserve="true" />

import { allowManyListeners } from "#context";
import { cancellation, isCancelled } from "./cancelled.js";
import { Deadline } from "./deadline.js";
import { deliver } from "./deliver.js";
import { UsageError } from "./errors.js";
import { CALLED, CAUGHT, ENDED, ENTERED, FOREIGN, PIERCED, SHIELD } from "./flags.js";
import type { Rare } from "./rare.js";
import { runScope } from "./run-scope.js";
import { ScopeNode } from "./scope-node.js";
import { scopeText } from "./scope-text.js";
import type { Awaitable, Cancellable } from "./types.js";
import { requireDuration, requireFunction, requireInstant } from "./validate.js";

/** Our own signals, so that passing `scope.signal` is the same as passing `scope`. */
export const scopeOfSignal = new WeakMap<AbortSignal, CancelScope>();

/** Known to every platform that has a console of this kind, without an import of it. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

export interface CancelScopeOptions {
  /** Milliseconds, counted from entry. */
  readonly timeout?: number | undefined;
  /** An instant of `now()`. */
  readonly deadline?: number | undefined;
  /** Hides cancellations from outside. */
  readonly shield?: boolean | undefined;
  readonly name?: string | undefined;
  /** Milliseconds that the cleanups (`defer`, `use`) of this scope may take together. Default: that of the scope around it, and no limit at the root. */
  readonly cleanupTimeout?: number | undefined;
}

/**
 * A part of the program that can be cancelled as a whole: everything that runs in it, however deep.
 *
 * Once it is cancelled, every checkpoint in it throws `Cancelled`, until its end; there the scope catches its own cancellation
 * and nothing else (`run` resolves to `undefined` then). A scope is an options bag: it has a `signal`, so it goes wherever
 * the platform takes `{ signal }`.
 *
 * Source: trio.CancelScope.
 *
 * @example
 * const scope = new CancelScope({ timeout: 2_000 });
 * const text = await scope.run(async () => (await fetch(url, scope)).text());
 * if (scope.cancelledCaught) console.log("too slow");
 */
export class CancelScope extends ScopeNode implements Cancellable {
  constructor(options?: CancelScopeOptions) {
    super();
    if (options !== undefined) this._configure(options);
  }

  /** @internal */
  _configure(options: CancelScopeOptions): void {
    const { timeout, deadline, shield, name, cleanupTimeout } = options;
    if (timeout !== undefined && deadline !== undefined) {
      throw new UsageError("a scope takes `timeout` (milliseconds from its entry) or `deadline` (an instant of now()), not both");
    }
    if (timeout !== undefined) this._rarely.timeout = requireDuration(timeout, "timeout");
    if (deadline !== undefined) this.deadline = deadline;
    if (shield !== undefined) this.shield = shield;
    if (name !== undefined) this._rarely.name = String(name);
    if (cleanupTimeout !== undefined) this._rarely.cleanupTimeout = requireDuration(cleanupTimeout, "cleanupTimeout");
  }

  /**
   * Enters the scope and runs `body` in it; a scope is entered once. Resolves to the body's value, or to `undefined` when the scope
   * caught its own cancellation. Rejects with the body's failure as it is, or with the `Cancelled` of a scope around it.
   *
   * It settles only after everything in it has ended: operations and scopes that nobody awaited are cancelled and awaited, then the
   * cleanups run. Entering and leaving are no checkpoints.
   *
   * @param scope the scope around it; by default the ambient one
   * @throws UsageError if it was entered before
   * @throws MissingScopeError if there is no scope around it
   * @throws ErrorGroup if the body and cleanups failed, or several cleanups
   */
  run<T>(body: (scope: this) => Awaitable<T>, scope?: Cancellable): Promise<T | undefined> {
    return runScope(this, body, scope, { caller: "scope.run()", mayGiveUp: true });
  }

  /**
   * Cancels everything in the scope: each wait in it ends at once, in the order of the tree, and each later checkpoint throws. Synchronous
   * and idempotent: the first cause stays. Before entry it takes effect on entry; after the end it has none.
   *
   * @param reason becomes the `cause` of the `Cancelled`
   */
  cancel(reason?: unknown): void {
    if ((this._flags & CALLED) !== 0) return;
    this._cancelWith(cancellation("cancel", this._path, reason, this._tree, new Error("cancel() was called")));
  }

  /** A foreign signal that it stands for, or is linked to, was aborted. A cancellation of ours that came through a signal derived from ours goes on as it is. @internal */
  _abortedBy({ reason }: AbortSignal): void {
    this._cancelWith(isCancelled(reason) ? reason : cancellation("signal", this._path, reason, this._tree));
  }

  /** Aborted exactly when the scope is cancelled, with the `Cancelled` as its reason. Made when it is first read. */
  get signal(): AbortSignal {
    const rare = this._rarely;
    if (rare.controller === undefined) {
      rare.controller = new AbortController();
      scopeOfSignal.set(rare.controller.signal, this);
      allowManyListeners(rare.controller.signal);
      if (this._reason !== undefined) rare.controller.abort(this._reason);
    }
    return rare.controller.signal;
  }

  /** The instant of `now()` at which it is cancelled, `Infinity` for never. Anyone may move it at any time; after the end that has no effect. */
  get deadline(): number {
    if (this._rare?.timeout !== undefined) {
      throw new UsageError("the deadline of a scope with a timeout is known from its entry on, because the timeout counts from there");
    }
    return this._rare?.deadline?.at ?? Number.POSITIVE_INFINITY;
  }

  set deadline(at: number) {
    requireInstant(at, "deadline");
    this._disarm();
    this._setDeadline(at);
  }

  /** @internal */
  _setDeadline(at: number): void {
    const rare = this._rarely;
    rare.timeout = undefined;
    rare.deadline = at === Number.POSITIVE_INFINITY ? undefined : new Deadline(at, this);
    this._arm();
  }

  /** Sets the timer of the deadline, if the scope is open and can still be cancelled by it. @internal */
  _arm(): void {
    const deadline = this._rare?.deadline;
    if (deadline !== undefined && (this._flags & (ENTERED | ENDED | CALLED)) === ENTERED) this._runtime.setTimer(deadline);
  }

  /** The earliest deadline that holds here: over the scopes outwards, up to a shield. `-Infinity` if it is cancelled already. */
  get effectiveDeadline(): number {
    if (this._reason !== undefined) return Number.NEGATIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (let scope: ScopeNode | undefined = this; scope !== undefined; scope = scope._parent) {
      const at = scope._rare?.deadline?.at;
      if (at !== undefined && at < earliest) earliest = at;
      if ((scope._flags & SHIELD) !== 0) break;
    }
    return earliest;
  }

  /** Milliseconds until `effectiveDeadline`; 0 if that has passed or the scope is cancelled, `Infinity` if there is none. */
  get remaining(): number {
    const deadline = this.effectiveDeadline;
    if (deadline === Number.POSITIVE_INFINITY) return deadline;
    return this._tree === undefined ? Math.max(0, deadline) : Math.max(0, deadline - this._runtime.now());
  }

  /**
   * Whether cancellations from outside are hidden from what is inside. Its own cancel and its own deadline still work.
   * Raised late, it protects from what has not been delivered yet; lowered, it lets a pending cancellation in at once.
   */
  get shield(): boolean {
    return (this._flags & SHIELD) !== 0;
  }

  set shield(on: boolean) {
    if (typeof on !== "boolean") throw new TypeError("shield is true or false");
    if (on === this.shield) return;
    const outside = this._parent?._reason;
    if (on) {
      this._flags |= outside === undefined ? SHIELD : SHIELD | PIERCED;
    } else {
      this._flags &= ~SHIELD;
      if (outside !== undefined && this._reason === undefined && (this._flags & ENDED) === 0) deliver(this, outside);
    }
  }

  get name(): string {
    return this._rare?.name ?? ((this._flags & FOREIGN) === 0 ? "scope" : "signal");
  }

  /** Whether its own cancellation was asked for, by `cancel()` or by its deadline. It says nothing of the scopes around it. */
  get cancelCalled(): boolean {
    this._expire();
    return (this._flags & CALLED) !== 0;
  }

  /** Whether it has ended by catching its own cancellation. */
  get cancelledCaught(): boolean {
    return (this._flags & CAUGHT) !== 0;
  }

  /**
   * How many foreign operations that were begun in it, or in a scope inside, still go on although they were given up: see `abandonOnCancel` and
   * `cancellable`. They may go on after its end, and are counted until they settle.
   */
  get abandoned(): number {
    return this._rare?.abandoned ?? 0;
  }

  /** Throws the `Cancelled` if the scope is cancelled, also from outside, and `ScopeEndedError` if it has ended. It waits for nothing. */
  throwIfCancelled(): void {
    const refusal = (this._flags & ENTERED) === 0 ? this._reason : this._refusal();
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Registers a cleanup. It runs when the scope is left, after everything in it has ended, the last registered first, and also when the
   * scope is cancelled: in a scope of its own, which it is passed, shielded, within the scope's `cleanupTimeout`.
   * What it throws joins the errors of the scope.
   */
  defer(cleanup: (scope: CancelScope) => Awaitable<unknown>): void {
    requireFunction(cleanup, "scope.defer()");
    if ((this._flags & ENDED) !== 0) throw this._endedError("defer() came too late, its cleanup will not run");
    const rare = this._rarely;
    rare.cleanups ??= [];
    rare.cleanups.push(cleanup);
  }

  /** Has `resource` disposed when the scope is left, as by `defer`, and returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    const { [Symbol.asyncDispose]: later, [Symbol.dispose]: atOnce } = Object(resource) as Partial<AsyncDisposable & Disposable>;
    const dispose = later ?? atOnce;
    if (typeof dispose !== "function") {
      throw new TypeError(
        "scope.use() takes an object with Symbol.asyncDispose or Symbol.dispose; for anything else there is scope.defer()",
      );
    }
    this.defer(() => dispose.call(resource));
    return resource;
  }

  /** One line for logs: what it is, where, and in which state, as `Task { root > http > req#17, running }`. It never throws. */
  override toString(): string {
    return scopeText(this);
  }

  /** So that whoever logs it as JSON gets that line, not the tree it is in. */
  toJSON(): string {
    return scopeText(this);
  }

  /** What `console.log` shows, in Node, Deno and Bun. @internal */
  [INSPECT](): string {
    return scopeText(this);
  }

  /** @internal */
  override _enter(parent: ScopeNode): void {
    super._enter(parent);
    if (this._rare === undefined) return;
    const { timeout, link } = this._rare;
    if (timeout === undefined) this._arm();
    else this._setDeadline(this._runtime.now() + timeout);
    // After a timeout that is still to come, to ask for the time again would say the same.
    if (timeout === undefined || timeout <= 0) this._expire();
    link?.hang(this);
  }

  /** @internal */
  override _unhook(rare: Rare): void {
    this._disarm();
    rare.link?.delete(this);
  }

  /** What its life comes to, when its body has returned `value` and nothing is to be thrown. @internal */
  _resultOf(value: unknown): unknown {
    return value;
  }

  /** Notices a deadline that has passed, although no timer has had the chance to report it. @internal */
  _expire(): void {
    const deadline = this._rare?.deadline;
    if (!deadline?.live || deadline.at > this._runtime.now()) return;
    this._runtime.clearTimer(deadline);
    deadline.fire();
  }
}
