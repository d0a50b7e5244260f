import { quiet } from "./quiet.js";
import type { ScopeNode } from "./scope-node.js";

const PARKED = 0;
const ABORTING = 1;
const OVER = 2;

let resolveOfLast: (value: never) => void;
let rejectOfLast: (error: unknown) => void;
/** One executor for all waiters: it runs inside `new Promise`, so what it leaves behind is taken at once. Saves a closure a wait. */
function capture(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  resolveOfLast = resolve;
  rejectOfLast = reject;
}

/** A run is over: its last promise must not keep it from being collected. */
export function forgetLastWait(): void {
  resolveOfLast = ignore;
  rejectOfLast = ignore;
}

function ignore(): void {}

/**
 * One suspended operation. Every wait of the library is a waiter that was parked, and ends by exactly one of `wake`, `fail`
 * and the cancellation of its scope; the later ones have no effect. So completion wins, or nothing happened.
 */
export abstract class Waiter<T> {
  /** What the operation resolves to. It settles when the runtime lets it, not when the wait is over. */
  readonly promise: Promise<T>;
  /** The scope it waits in; set by `ScopeNode._park`. */
  _scope: ScopeNode | undefined;
  /** Neighbours in the scope's circular list of waiters; meaningful while it is parked. */
  _next: Waiter<unknown> | undefined;
  _previous: Waiter<unknown> | undefined;
  /** PARKED until its outcome is decided; a decided outcome never changes. ABORTING: cancelled, but `onCancel` has not had its say. */
  _state: number;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<never>(capture) as Promise<T>;
    this._scope = undefined;
    this._next = undefined;
    this._previous = undefined;
    this._state = PARKED;
    this.#resolve = resolveOfLast as (value: T) => void;
    this.#reject = rejectOfLast;
  }

  /** The operation, as a verb: for dumps and deadlock reports. */
  abstract get op(): string;
  /** What it waits for, if that is an object of the library. */
  abstract get on(): object | undefined;

  /** Whether a cancellation ends the wait. */
  get isCancellable(): boolean {
    return true;
  }

  /** Whether what ends it comes from outside of the library, so that nobody can know that it never will. */
  get isForeign(): boolean {
    return false;
  }

  get isParked(): boolean {
    return this._state === PARKED;
  }

  get isAborting(): boolean {
    return this._state === ABORTING;
  }

  get isOver(): boolean {
    return this._state === OVER;
  }

  /** Ends the wait with a value. Returns false, and has no effect, if it is over already. */
  wake(value: T): boolean {
    return this._end(value, false);
  }

  /**
   * As `wake`; but whoever wakes it goes on first. A producer and a consumer that meet at a buffer would otherwise go on in turn, so that each time the
   * consumer found nothing and had to wait again: a wait costs more than all the rest.
   */
  wakeBehind(value: T): boolean {
    return this._end(value, false, true);
  }

  /** Ends the wait with an error. Returns false, and has no effect, if it is over already. */
  fail(error: unknown): boolean {
    return this._end(error, true);
  }

  /** @internal */
  _end(outcome: unknown, failed: boolean, isBehind = false): boolean {
    if (this._state !== PARKED) return false;
    this._state = OVER;
    this._forget();
    const scope = this._scope as ScopeNode;
    // In this order: whoever waits for the end of the scope goes on after those who waited in it.
    scope._runtime.wake(this as Waiter<unknown>, outcome, failed, isBehind);
    scope._unhang(this as Waiter<unknown>);
    return true;
  }

  /** For the runtime only: the promise settles now. */
  settle(outcome: unknown, failed: boolean): void {
    if (failed) this.#reject(outcome);
    else this.#resolve(outcome as T);
  }

  /**
   * First half of a cancellation, which runs no code of the user: it leaves the queue it waits in, so that nothing can be handed to it any more.
   * Returns true if the second half, `_finishCancel`, has to be called.
   */
  _cancel(reason: unknown): boolean {
    this._endCancelled(reason);
    return false;
  }

  /** Ends it by a cancellation, which has been told elsewhere. */
  _endCancelled(reason: unknown): void {
    quiet(this.promise);
    this._end(reason, true);
  }

  _finishCancel(_reason: unknown): void {}

  /** Takes it out of whatever would wake it. Must not run code of the user. */
  _forget(): void {}

  /** For a `_cancel` that cannot decide yet: nobody can wake it, and it is not over. @internal */
  _beginAborting(): void {
    this._state = ABORTING;
    (this._scope as ScopeNode)._unhang(this as Waiter<unknown>);
  }

  /** The operation refused to be interrupted: it waits on. @internal */
  _refuseAborting(): void {
    this._state = PARKED;
    (this._scope as ScopeNode)._hang(this as Waiter<unknown>);
  }

  /** It is over: with the cancellation, or with what its `onCancel` threw. @internal */
  _endAborting(outcome: unknown): void {
    quiet(this.promise);
    this._state = OVER;
    (this._scope as ScopeNode)._runtime.wake(this as Waiter<unknown>, outcome, true);
  }
}

/** A wait of the kernel's own that no cancellation ends: a scope's for what is in it, or an operation that only lets others run. */
export class PlainWaiter<T = void> extends Waiter<T> {
  readonly op: string;
  readonly on: object | undefined;

  constructor(op: string, on: object | undefined) {
    super();
    this.op = op;
    this.on = on;
  }

  override get isCancellable(): boolean {
    return false;
  }
}
