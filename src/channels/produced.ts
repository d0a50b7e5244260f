/// <reference lib="esnext.disposable" preserve="true" />

import { ambientScope } from "#context";
import { type Cancelled, cancellation } from "../kernel/cancelled.js";
import { describe } from "../kernel/describe.js";
import { ClosedResourceError, EndOfChannel, TaskCancelledError } from "../kernel/errors.js";
import { ENDED, EXPLICIT } from "../kernel/flags.js";
import { isInside } from "../kernel/floating.js";
import type { Nursery } from "../kernel/nursery.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { WaitHandler } from "../kernel/wait-handler.js";
import { QueueWaiter, WaitQueue } from "../kernel/wait-queue.js";
import type { ValuesOptions } from "./memory-receive-channel.js";
import { END, type Item } from "./next-item.js";
import { Receivable } from "./receivable.js";

/** Where it belongs: it is cancelled and awaited when `owner` is left, and cancelled by the foreign `signal`, if there is one. */
export interface Home {
  readonly owner: CancelScope;
  readonly signal: AbortSignal | undefined;
}

/** What makes items. */
export interface Making {
  readonly nursery: Nursery;
  /** Whether everything was made, and none of it cut off. */
  readonly isComplete: boolean;
  /** By what it was cut off, if it was. */
  readonly interruption: Cancelled | undefined;
  /** What went wrong in it, once everything in it has ended. */
  readonly failure: { readonly error: unknown } | undefined;
}

/** What went wrong in what makes the items, and who knows. */
interface Failure {
  readonly error: unknown;
  /** Whether somebody was rejected with it. */
  isTold: boolean;
  /** Whether one of those is sure to have heard: what `return()` rejects with the language drops when the loop is left by a throw. */
  isHeard: boolean;
}

/**
 * Items that are made in a nursery of the scope that it belongs to, when they are asked for. How they are made, and kept until they are received, says
 * its subclass; how it is closed, and who is told what went wrong, says this.
 */
export abstract class Produced<out T> extends Receivable<T> implements AsyncIterable<T>, AsyncDisposable {
  /** @internal */
  readonly _home: Home;
  /** The function that was called. */
  readonly #caller: string;
  /** Those who wait for its end, and whether each is sure to hear how it was. */
  readonly #closers: WaitQueue<void, boolean> = new WaitQueue("close", this);
  /** Begun by the first who asks for an item. */
  #making: Making | undefined = undefined;
  /** Nobody is to receive from it any more. Set once. */
  #isClosed = false;
  /** Everything in the making has ended. Set once. */
  #isOver = false;
  #failure: Failure | undefined = undefined;
  /** Why there are no more items, where it is neither their end nor a failure. */
  #interruption: TaskCancelledError | undefined = undefined;

  /** @internal */
  constructor(caller: string, home: Home) {
    super();
    this.#caller = caller;
    this._home = home;
  }

  /** Begins to make items. `_ended` is to be called when everything in it has ended, before the scope around it can go on. @internal */
  abstract _begin(): Making;

  /** Whether there is an item to be had. @internal */
  abstract get _hasItem(): boolean;

  /** The next item, which is there. @internal */
  abstract _takeItem(): T;

  /** Whether it is to be closed also if nobody ever wanted an item of it. @internal */
  get _isOpenAtOnce(): boolean {
    return false;
  }

  /** Nobody will receive what has been made and not received. @internal */
  _drop(): void {}

  /** For reports. @internal */
  get name(): string {
    return `of ${this.#caller}()`;
  }

  /** Where scopes are passed as arguments, a loop has no way to pass one. @internal */
  override _whereOf(options: ValuesOptions | undefined): Cancellable | undefined {
    const { owner } = this._home;
    return options?.signal === undefined && (owner._flags & EXPLICIT) !== 0 ? owner : options;
  }

  /**
   * Cancels what makes the items, and waits for its end, also in a cancelled scope. Calls that wait for an item throw `ClosedResourceError`, and so do
   * later ones. Idempotent. Called from inside of what makes the items it cannot wait, and only cancels.
   *
   * @throws what went wrong there and has not been thrown elsewhere
   */
  close(): Promise<void> {
    return this.#close(true);
  }

  /** As `close`: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  _isReady(): boolean {
    return this.#isClosed || this.#isOver || this._hasItem || this.#isTooLate;
  }

  /** @internal */
  _take(): Item<T> {
    if (this.#isClosed) throw closed();
    if (this._hasItem) return { done: false, value: this._takeItem() };
    if (this.#isTooLate) throw this._home.owner._endedError(`items were wanted of what ${this.#caller}() had made in it`);
    this.#tell(true);
    if (this.#interruption !== undefined) throw this.#interruption;
    return END;
  }

  /** @internal */
  _asked(): void {
    this.#making ??= this._begin();
  }

  /** @internal */
  _endOfItems(): EndOfChannel {
    return new EndOfChannel("there are no more items: what made them has ended");
  }

  /** @internal */
  _leave(isHeard: boolean): Promise<void> {
    return this.#close(isHeard);
  }

  /**
   * How it was is told to those who wait, while what made the items still has its place in the tree: so its owner has not ended, and keeps what nobody
   * hears. @internal
   */
  _ended(making: Making): void {
    this.#isOver = true;
    const { failure } = making;
    if (failure !== undefined) this.#fail(failure.error);
    else if (!making.isComplete && !this.#isClosed) this.#interrupt(making);
    this._receivers.wakeAll(END);
    this.#closers.wakeAll();
  }

  /** Whether the scope that it belongs to has ended before anything was asked for. */
  get #isTooLate(): boolean {
    return this.#making === undefined && (this._home.owner._flags & ENDED) !== 0;
  }

  #close(isHeard: boolean): Promise<void> {
    this.#stop();
    const making = this.#making;
    if (making === undefined || this.#isOver) return this.#settled(isHeard);
    const caller = ambientScope();
    if (caller !== undefined && isInside(caller, making.nursery)) return Promise.resolve();
    const closer = new QueueWaiter(this.#closers, isHeard, CLOSING);
    this.#closers._append(closer);
    const scope = caller === undefined || (caller._flags & ENDED) !== 0 ? this._home.owner : caller;
    return scope._park(closer);
  }

  async #settled(isHeard: boolean): Promise<void> {
    this.#tell(isHeard);
  }

  #stop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this._isOpenAtOnce && !this.#isTooLate) this.#making ??= this._begin();
    const nursery = this.#making?.nursery;
    if (nursery !== undefined && !this.#isOver) {
      nursery._cancelWith(cancellation("shutdown", nursery._path, "nobody receives from it any more", nursery._tree));
    }
    this._receivers.failAll(closed());
    this._drop();
  }

  #fail(error: unknown): void {
    const failure: Failure = { error, isTold: false, isHeard: false };
    this.#failure = failure;
    this._drop();
    const receiver = this._receivers.first;
    if (receiver !== undefined) {
      receiver.fail(error);
      failure.isTold = true;
      failure.isHeard = true;
    }
    for (let closer = this.#closers.first; closer !== undefined; closer = this.#closers.first) {
      failure.isTold = true;
      failure.isHeard ||= closer.what;
      closer.fail(error);
    }
    if (failure.isHeard) return;
    this._home.owner.defer(() => {
      if (failure.isHeard) return;
      failure.isTold = true;
      throw error;
    });
  }

  #interrupt({ interruption: reason, nursery: { _path: path } }: Making): void {
    const why = reason === undefined ? "" : ` (${describe(reason)})`;
    this.#interruption = new TaskCancelledError(`${path} was cancelled${why}, so there are no more items of it`, path, reason);
    this._drop();
    this._receivers.failAll(this.#interruption);
  }

  /** Throws what went wrong, once. */
  #tell(isHeard: boolean): void {
    const failure = this.#failure;
    if (failure === undefined || failure.isTold) return;
    failure.isTold = true;
    failure.isHeard = isHeard;
    throw failure.error;
  }
}

/** For waits that go on whatever is cancelled meanwhile. */
class ClosingHandler extends WaitHandler {
  override get isCancellable(): boolean {
    return false;
  }
}

const CLOSING = new ClosingHandler();

function closed(): ClosedResourceError {
  return new ClosedResourceError(
    "it is closed, because a loop over it was left or close() was called, so nothing can be received from it any more",
  );
}
