import type { Cancelled } from "./cancelled.js";
import { classify, type Verdict } from "./classify.js";
import { deliver } from "./deliver.js";
import { ScopeEndedError, UsageError } from "./errors.js";
import { CALLED, DEBUG, DRAINING, ENDED, ENTERED, INHERITED, LEAVING, PIERCED, SHIELD, TASK } from "./flags.js";
import { endFloating } from "./floating.js";
import { leave } from "./leave.js";
import { Outcome } from "./outcome.js";
import { Rare } from "./rare.js";
import type { Runtime } from "./runtime.js";
import { link, unlink } from "./siblings.js";
import { siteOf } from "./site.js";
import type { Tree } from "./tree.js";
import type { Awaitable } from "./types.js";
import { PlainWaiter, type Waiter } from "./waiter.js";

const PATH_LENGTH = 8;

/** A node of the tree of scopes: its links, its state, and what is parked in it. `CancelScope` is its public half. */
export abstract class ScopeNode {
  /** Set on entry, and kept. @internal */
  _tree: Tree | undefined;
  /** The scope around it; kept after the end, so that paths can be told. @internal */
  _parent: ScopeNode | undefined;
  /** Neighbours in the parent's circular list of children; `undefined` exactly while it is in none. @internal */
  _next: ScopeNode | undefined;
  /** @internal */
  _previous: ScopeNode | undefined;
  /** The open scopes right inside, in order of entry. @internal */
  _firstChild: ScopeNode | undefined;
  /** The operations parked in this very scope, in order of arrival. @internal */
  _firstWaiter: Waiter<unknown> | undefined;
  /** Bits of flags.ts. @internal */
  _flags: number;
  /**
   * Why everything in it is cancelled, if it is: by its own cancel or from outside, whichever came first.
   * Once set it stays, because an AbortSignal cannot be un-aborted: it is set exactly when the signal is aborted. @internal
   */
  _reason: Cancelled | undefined;
  /** @internal */
  _rare: Rare | undefined;

  constructor() {
    this._tree = undefined;
    this._parent = undefined;
    this._next = undefined;
    this._previous = undefined;
    this._firstChild = undefined;
    this._firstWaiter = undefined;
    this._flags = 0;
    this._reason = undefined;
    this._rare = undefined;
  }

  abstract get name(): string;

  /** Whether paths show it. @internal */
  get _isPathed(): boolean {
    return this._rare?.name !== undefined;
  }

  /** @internal */
  get _runtime(): Runtime {
    return (this._tree as Tree).runtime;
  }

  /** @internal */
  get _rarely(): Rare {
    this._rare ??= new Rare();
    return this._rare;
  }

  /** As `root > http > req#17`: nurseries, tasks and named scopes from outside to inside, the innermost eight. @internal */
  get _path(): string {
    let path = this.name;
    let length = 1;
    for (let scope = this._parent; scope !== undefined; scope = scope._parent) {
      if (!scope._isPathed) continue;
      if (length++ === PATH_LENGTH) return `… > ${path}`;
      path = `${scope.name} > ${path}`;
    }
    return path;
  }

  /** The nearest task at or above it. @internal */
  get _task(): ScopeNode | undefined {
    let scope: ScopeNode | undefined = this;
    while (scope !== undefined && (scope._flags & TASK) === 0) scope = scope._parent;
    return scope;
  }

  /** Whether a cancellation from outside is visible in it; then it is not its own that it would catch. @internal */
  get _isCancelledOutside(): boolean {
    if ((this._flags & PIERCED) !== 0) return true;
    return (this._flags & SHIELD) === 0 && this._parent?._reason !== undefined;
  }

  /** Why an operation may not begin here, if it may not. @internal */
  _refusal(): unknown {
    if ((this._flags & ENDED) !== 0) return this._endedError("something in it was not awaited and went on after its end");
    if (this._reason === undefined) this._runtime.poll(this);
    return this._reason;
  }

  /** @internal */
  _endedError(what: string): ScopeEndedError {
    const site = siteOf(this._rare?.site);
    const started = site === undefined ? "" : ` It was started ${site}.`;
    const advice = "Await what you start, or start it in a nursery that lives long enough.";
    return new ScopeEndedError(`the scope ${this._path} has ended: ${what}. ${advice}${started}`, this._path);
  }

  /** Puts the node under `parent`, once. @internal */
  _enter(parent: ScopeNode): void {
    if ((this._flags & ENTERED) !== 0)
      throw new UsageError(`the scope ${this._path} was entered before: a scope is used once, so make a new one`);
    if ((parent._flags & ENDED) !== 0) throw parent._endedError("a scope was to be entered in it");
    this._tree = parent._tree as Tree;
    this._flags |= ENTERED | (parent._flags & INHERITED);
    // It was cancelled before it was entered: only now it is known in which tree.
    if (this._reason !== undefined) this._reason._tree ??= this._tree;
    this._attach(parent);
    if ((this._flags & DEBUG) !== 0) this._rarely.site = new Error("made here");
  }

  /** Links it as the last child, and lets in what has been cancelled outside. Also how a started task moves to its nursery. @internal */
  _attach(parent: ScopeNode): void {
    link(this, parent);
    if (parent._reason !== undefined && this._reason === undefined && (this._flags & SHIELD) === 0) deliver(this, parent._reason);
    parent._noteCome();
  }

  /** @internal */
  _detach(): void {
    const parent = this._parent as ScopeNode;
    unlink(this, parent);
    if ((parent._flags & LEAVING) !== 0) parent._noteLeft();
  }

  /** Takes it out of the tree: nothing can begin in it from now on. @internal */
  _end(): void {
    this._flags |= ENDED;
    if (this._rare !== undefined) this._unhook(this._rare);
    if (this._next !== undefined) this._detach();
  }

  /** Its deadline has nothing to cancel any more. @internal */
  _disarm(): void {
    const deadline = this._rare?.deadline;
    if (deadline?.live) this._runtime.clearTimer(deadline);
  }

  /** It has ended: nothing of it is to be left on what lives longer. @internal */
  abstract _unhook(rare: Rare): void;

  /** @internal */
  _cancelWith(reason: Cancelled): void {
    if ((this._flags & CALLED) !== 0) return;
    this._flags |= CALLED;
    this._disarm();
    if ((this._flags & ENDED) === 0 && this._reason === undefined) deliver(this, reason);
  }

  /** Whether something is still in it that its end has to deal with. @internal */
  get _isOccupied(): boolean {
    return this._firstChild !== undefined || this._firstWaiter !== undefined;
  }

  /** @internal */
  get _outcome(): Outcome {
    const rare = this._rarely;
    rare.outcome ??= new Outcome();
    return rare.outcome;
  }

  /** Whether a single failure is wrapped in a group, too. @internal */
  get _isGrouping(): boolean {
    return false;
  }

  /** @internal */
  _bodyThrew(error: unknown): void {
    this._outcome.settle(this._judge(error));
  }

  /** The verdict on an error that leaves it. @internal */
  _judge(error: unknown): Verdict {
    const verdict = classify(error, this);
    if (verdict.assumed > 0) (this._tree as Tree).assumedCancellations += verdict.assumed;
    return verdict;
  }

  /** Ends what is still in it, if anything is. @internal */
  _leave(): Promise<void> | undefined {
    return this._isOccupied || this._hasCleanups ? leave(this) : undefined;
  }

  /** While it is being left: whether there is a next step to take. @internal */
  get _isReady(): boolean {
    return !this._isOccupied;
  }

  /** Something in it has ended while it is being left. @internal */
  _noteLeft(): void {
    if (this._isReady) this._rare?.leaver?.wake();
  }

  /** Waits, whatever is cancelled, until it `_isReady`. @internal */
  _parkLeaver(): Promise<void> {
    const leaver = new PlainWaiter("leave", this);
    leaver._scope = this;
    this._rarely.leaver = leaver;
    this._runtime.park(leaver as Waiter<unknown>);
    return leaver.promise;
  }

  /** Takes the next step towards having nothing in it. @internal */
  _empty(): void {
    endFloating(this);
  }

  /** Its surroundings are left, and nobody else would end it. @internal */
  _abandon(): void {}

  /** @internal */
  get _hasCleanups(): boolean {
    return this._rare?.cleanups !== undefined && this._rare.cleanups.length > 0;
  }

  /** The cleanup that is to run next, which is forgotten here. @internal */
  _takeCleanup(): ((scope: never) => Awaitable<unknown>) | undefined {
    return this._rare?.cleanups?.pop();
  }

  /** Something new is in it. @internal */
  _noteCome(): void {
    if ((this._flags & DRAINING) !== 0) this._rare?.leaver?.wake();
  }

  /** The one way to wait. The caller has asked `_refusal()`. @internal */
  _park<T>(waiter: Waiter<T>): Promise<T> {
    waiter._scope = this;
    this._hang(waiter as Waiter<unknown>);
    this._runtime.park(waiter as Waiter<unknown>);
    this._noteCome();
    return waiter.promise;
  }

  /** @internal */
  _hang(waiter: Waiter<unknown>): void {
    const first = this._firstWaiter;
    if (first === undefined) {
      waiter._next = waiter;
      waiter._previous = waiter;
      this._firstWaiter = waiter;
    } else {
      const last = first._previous as Waiter<unknown>;
      waiter._next = first;
      waiter._previous = last;
      last._next = waiter;
      first._previous = waiter;
    }
  }

  /** @internal */
  _unhang(waiter: Waiter<unknown>): void {
    const next = waiter._next;
    if (next === undefined) return;
    if (next === waiter) this._firstWaiter = undefined;
    else {
      const previous = waiter._previous as Waiter<unknown>;
      previous._next = next;
      next._previous = previous;
      if (this._firstWaiter === waiter) this._firstWaiter = next;
    }
    waiter._next = undefined;
    waiter._previous = undefined;
    if ((this._flags & LEAVING) !== 0) this._noteLeft();
  }
}
