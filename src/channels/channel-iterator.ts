import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { MemoryReceiveChannel, ValuesOptions } from "./memory-receive-channel.js";
import { END } from "./next-item.js";
import { NextHandler } from "./receiving.js";

/**
 * What `for await` sees of a receive end. The language calls `return()` when a loop is left by a `break` or a throw, and nothing at all when `next()`
 * itself rejects, because the loop is cancelled for example. It must not depend on the moment of a cancellation whether the end is closed, so both leave.
 */
export class ChannelIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #end: MemoryReceiveChannel<T>;
  readonly #options: ValuesOptions | undefined;
  /** @internal */
  readonly _waits: NextHandler = new NextHandler(this);
  /** Whether the `next()` that is being called has got as far as the channel. */
  #isAdmitted = false;
  #isOver = false;

  constructor(end: MemoryReceiveChannel<T>, options: ValuesOptions | undefined) {
    this.#end = end;
    this.#options = options;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isOver) return Promise.resolve(END);
    this.#isAdmitted = false;
    const next = operate(this.#options, nextIn<T>, this);
    if (!this.#isAdmitted) this._leave();
    return next;
  }

  /** The loop is left early. No checkpoint: it must not throw over what it is left with. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#isOver = true;
    this._leave();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal */
  _next(scope: CancelScope): Promise<IteratorResult<T, undefined>> {
    this.#isAdmitted = true;
    return this.#end._next(scope, this);
  }

  /** @internal */
  _leave(): void {
    if (this.#options?.preventCancel !== true) this.#end.close();
  }
}

function nextIn<T>(scope: CancelScope, iterator: ChannelIterator<T>): Promise<IteratorResult<T, undefined>> {
  return iterator._next(scope);
}
