import { callBody } from "../kernel/call-body.js";
import { describe } from "../kernel/describe.js";
import { ClosedResourceError } from "../kernel/errors.js";
import { quiet } from "../kernel/quiet.js";
import type { Task } from "../kernel/task.js";
import { closeIterator } from "./close-iterator.js";
import { isAsyncIterable } from "./is-async-iterable.js";

/** What can be iterated, asynchronously or not. */
export type AnyIterable<T> = AsyncIterable<T> | Iterable<T>;

/** Where the items of a source go. */
export interface Sink<T> {
  /** Whether nothing is wanted any more, because of a cancellation. */
  readonly isStopped: boolean;
  /** Waits until an item is wanted, or it is stopped. */
  wanted(): Promise<void>;
  /** Hands an item over, and waits until that is done, or it is stopped. */
  give(item: T): Promise<void> | undefined;
  /** The source has come to its end by itself. */
  exhausted(): void;
}

/**
 * One iterable that a task reads: an item whenever one is wanted, all in the async context of that task. However that ends, `return()` of the iterator
 * has been called exactly once, and awaited, unless the iterator ended by itself.
 */
export class Source<T> {
  readonly #iterator: AsyncIterator<T>;
  readonly #task: Task;
  /** Whether it is a generator of the language, which does one thing after another: a `return()` waits for the `next()` before it. */
  readonly #isGenerator: boolean;
  /** Whether a `next()` is under way. */
  #isReading = false;
  /** Whether it has ended by itself. */
  #isOver = false;
  /** The call of `return()`. */
  #returning: Promise<void> | undefined = undefined;

  constructor(iterable: AnyIterable<T>, task: Task) {
    this.#task = task;
    this.#iterator = isAsyncIterable(iterable) ? iterable[Symbol.asyncIterator]() : overSync(iterable);
    this.#isGenerator = Object.prototype.toString.call(this.#iterator) === "[object AsyncGenerator]";
  }

  /** Reads until the source ends, or nothing is wanted any more; then closes it. Rejects with what went wrong in either. */
  async readInto(sink: Sink<T>): Promise<void> {
    const errors: unknown[] = [];
    try {
      await this.#read(sink);
    } catch (error) {
      this.#isOver = true;
      // It was closed while it was being read.
      if (this.#returning === undefined || !(error instanceof ClosedResourceError)) errors.push(error);
    }
    try {
      if (!this.#isOver || this.#returning !== undefined) await this.#return();
    } catch (error) {
      errors.push(error);
    }
    if (errors.length === 0) return;
    const [first, second] = errors;
    if (errors.length > 1) {
      this.#task.defer(() => {
        throw second;
      });
    }
    throw first;
  }

  /**
   * Nothing is wanted any more: if an item is being waited for, it may never come, so `return()` is called at once. A generator would get it after that
   * item only, so it is left to its scope's cancellation.
   */
  stop(): void {
    if (this.#isReading && !this.#isGenerator) quiet(this.#return());
  }

  async #read(sink: Sink<T>): Promise<void> {
    for (;;) {
      await sink.wanted();
      // Also if it was asked before: then it does not go on, but to its `finally` blocks.
      if (sink.isStopped) return;
      this.#isReading = true;
      const result = await this.#iterator.next();
      this.#isReading = false;
      if (Object(result) !== result)
        throw new TypeError(`next() of an iterator gave ${describe(result)}, which is no result of an iterator`);
      if (result.done === true) {
        this.#isOver = true;
        if (this.#returning === undefined) sink.exhausted();
        return;
      }
      const giving = sink.give(result.value);
      if (giving !== undefined) await giving;
    }
  }

  #return(): Promise<void> {
    this.#returning ??= (async () => callBody(this.#task, () => closeIterator(this.#iterator, this.#task)))();
    return this.#returning;
  }
}

/** As `for await` does it, items that are promises are awaited. */
async function* overSync<T>(iterable: Iterable<T>): AsyncGenerator<T, undefined> {
  yield* iterable;
  return undefined;
}
