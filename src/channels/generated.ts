/// <reference lib="esnext.disposable" preserve="true" />

import { ambientScope } from "#context";
import { cancellation } from "../kernel/cancelled.js";
import { describe } from "../kernel/describe.js";
import { ClosedResourceError, EndOfChannel, TaskCancelledError } from "../kernel/errors.js";
import { ENDED, EXPLICIT } from "../kernel/flags.js";
import { isInside } from "../kernel/floating.js";
import { SignalScope } from "../kernel/foreign-signal.js";
import { quiet } from "../kernel/quiet.js";
import { runScope } from "../kernel/run-scope.js";
import type { CancelScope } from "../kernel/scope.js";
import { QueueWaiter, WaitQueue } from "../kernel/wait-queue.js";
import { ItemIterator } from "./item-iterator.js";
import type { ValuesOptions } from "./memory-receive-channel.js";
import { Production, type Recipe } from "./production.js";
import { END, type Item, Receivable } from "./receivable.js";
import { Supply } from "./supply.js";

/** Where it belongs: it is cancelled and awaited when `owner` is left, and cancelled by the foreign `signal`, if there is one. */
export interface Home {
  readonly owner: CancelScope;
  readonly signal: AbortSignal | undefined;
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
 * What `generate` and `merge` return: items that are made in tasks of their own, when they are asked for.
 *
 * Iterate over it, or have several tasks `receive` from it; an item goes to one of them. It is closed by leaving the loop, whichever way, by `close()`,
 * by `await using`, and at the latest when the scope in which it was made is left. Then what makes the items is cancelled, and its end awaited.
 */
export class Generated<out T> extends Receivable<T> implements AsyncIterable<T>, AsyncDisposable {
  readonly #recipe: Recipe<T>;
  readonly #home: Home;
  readonly #supply: Supply<T>;
  /** Those who wait for its end, and whether each is sure to hear how it was. */
  readonly #closers: WaitQueue<void, boolean> = new WaitQueue("close", this);
  /** All that the tasks do. They are started in the async context in which this was made, not in that of whoever receives first. */
  readonly #work: Promise<unknown>;
  #begin: () => void = () => {};
  /** Made by the first who asks for an item. */
  #production: Production<T> | undefined = undefined;
  /** Nobody is to receive from it any more. Set once. */
  #isClosed = false;
  /** Everything in the production has ended. Set once. */
  #isOver = false;
  #failure: Failure | undefined = undefined;
  /** Why there are no more items, where it is neither their end nor a failure. */
  #interruption: TaskCancelledError | undefined = undefined;

  /** @internal */
  constructor(recipe: Recipe<T>, home: Home) {
    super();
    this.#recipe = recipe;
    this.#home = home;
    this.#supply = new Supply(recipe.capacity, recipe.isShared, this);
    this.#work = new Promise<void>((resolve) => {
      this.#begin = resolve;
    }).then(() => this.#production?.startTasks());
  }

  /** For reports. @internal */
  get name(): string {
    return `of ${this.#recipe.name}()`;
  }

  /**
   * Iterates as the object itself does, with options: the scope in which it waits, and whether leaving the loop early leaves the rest to others.
   *
   * @example for await (const row of rows.values({ preventCancel: true })) { if (isHeader(row)) break; }
   */
  values(options?: ValuesOptions): AsyncIterableIterator<T, undefined> {
    const { owner } = this.#home;
    // Where scopes are passed as arguments, a loop has no way to pass one.
    const where = options?.signal === undefined && (owner._flags & EXPLICIT) !== 0 ? owner : options;
    return new ItemIterator(this, where, options?.preventCancel === true);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.values();
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
  get _receivers(): WaitQueue<Item<T>> {
    return this.#supply.receivers;
  }

  /** @internal */
  _isReady(): boolean {
    return this.#isClosed || this.#isOver || !this.#supply.isEmpty || this.#isTooLate;
  }

  /** @internal */
  _take(): Item<T> {
    if (this.#isClosed) throw closed();
    if (!this.#supply.isEmpty) return { done: false, value: this.#supply.take() };
    if (this.#isTooLate) throw this.#home.owner._endedError(`items were wanted of what ${this.#recipe.name}() had made in it`);
    this.#tell(true);
    if (this.#interruption !== undefined) throw this.#interruption;
    return END;
  }

  /** @internal */
  _asked(): void {
    if (this.#production === undefined) this.#start();
    this.#supply.ask();
  }

  /** @internal */
  _endOfItems(): EndOfChannel {
    return new EndOfChannel("there are no more items: what made them has ended");
  }

  /** @internal */
  _leave(isHeard: boolean): Promise<void> {
    return this.#close(isHeard);
  }

  /** Whether the scope that it belongs to has ended before anything was asked for. */
  get #isTooLate(): boolean {
    return this.#production === undefined && (this.#home.owner._flags & ENDED) !== 0;
  }

  #start(): Production<T> {
    const { owner, signal } = this.#home;
    const production = new Production(this.#recipe, this.#supply, () => this.#end(production));
    this.#production = production;
    const body = () => {
      this.#begin();
      return this.#work;
    };
    const where = signal === undefined ? owner : new SignalScope(signal, owner);
    quiet(runScope(production, body, where, { caller: `${this.#recipe.name}()` }));
    return production;
  }

  #close(isHeard: boolean): Promise<void> {
    this.#stop();
    const production = this.#production;
    if (production === undefined || this.#isOver) return this.#settled(isHeard);
    const caller = ambientScope();
    if (caller !== undefined && isInside(caller, production)) return Promise.resolve();
    const closer = new CloseWaiter(this.#closers, isHeard);
    this.#closers._append(closer);
    const scope = caller === undefined || (caller._flags & ENDED) !== 0 ? this.#home.owner : caller;
    return scope._park(closer);
  }

  async #settled(isHeard: boolean): Promise<void> {
    this.#tell(isHeard);
  }

  #stop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#production === undefined && this.#recipe.isShared && !this.#isTooLate) this.#start();
    const production = this.#production;
    if (production !== undefined && !this.#isOver) {
      production._cancelWith(cancellation("shutdown", production._path, "nobody receives from it any more", production._tree));
    }
    this._receivers.failAll(closed());
    this.#supply.drop();
  }

  /** How it was is told to those who wait, while the production still has its place in the tree: so its owner has not ended, and keeps what nobody hears. */
  #end(production: Production<T>): void {
    this.#isOver = true;
    const { failure } = production;
    if (failure !== undefined) this.#fail(failure.error);
    else if (!production.isComplete && !this.#isClosed) this.#interrupt(production);
    this._receivers.wakeAll(END);
    this.#closers.wakeAll();
  }

  #fail(error: unknown): void {
    const failure: Failure = { error, isTold: false, isHeard: false };
    this.#failure = failure;
    this.#supply.drop();
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
    this.#home.owner.defer(() => {
      if (failure.isHeard) return;
      failure.isTold = true;
      throw error;
    });
  }

  #interrupt(production: Production<T>): void {
    const { interruption: reason } = production;
    const why = reason === undefined ? "" : ` (${describe(reason)})`;
    this.#interruption = new TaskCancelledError(
      `${production._path} was cancelled${why}, so there are no more items of it`,
      production._path,
      reason,
    );
    this.#supply.drop();
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

/** Waits for the end, whatever is cancelled meanwhile. */
class CloseWaiter extends QueueWaiter<void, boolean> {
  override get isCancellable(): boolean {
    return false;
  }
}

function closed(): ClosedResourceError {
  return new ClosedResourceError(
    "it is closed, because a loop over it was left or close() was called, so nothing can be received from it any more",
  );
}
