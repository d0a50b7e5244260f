import { closeIterator } from "../channels/close-iterator.js";
import { isAsyncIterable } from "../channels/is-async-iterable.js";
import { isIterable } from "../channels/is-iterable.js";
import type { AnyIterable } from "../channels/source.js";
import { describe } from "../kernel/describe.js";
import { ClosedResourceError, TaskCancelledError } from "../kernel/errors.js";
import { CALLED, LED } from "../kernel/flags.js";
import { quiet } from "../kernel/quiet.js";
import { runScope } from "../kernel/run-scope.js";
import { CancelScope } from "../kernel/scope.js";
import { Task } from "../kernel/task.js";
import type { Awaitable } from "../kernel/types.js";
import { PlainWaiter, type Waiter } from "../kernel/waiter.js";
import { isPromiseLike } from "./is-promise-like.js";
import type { ItemSource } from "./item-source.js";
import type { Lane } from "./lane.js";
import type { Mapping } from "./mapping.js";
import { Watch } from "./watch.js";

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/**
 * What the lanes read from: an iterator, of which one item is asked for at a time, and only when a lane has nothing to do. It is read in a task of its own.
 * However the mapping ends, `return()` is called, unless the iterator has come to its end or thrown, and awaited.
 */
export class Feed {
  readonly task = new Task("source", 0, true);
  readonly #source: ItemSource<unknown>;
  readonly #mapping: Mapping<unknown>;
  /** Hangs on the task while nothing is asked of it, so that it is not taken for one that awaits something foreign. */
  readonly #idle = new PlainWaiter("wait to be asked", undefined) as Waiter<unknown>;
  #iterator: AnyIterator | undefined = undefined;
  #isAsync = false;
  /** It has come to its end, or thrown: there is nothing to read, nor to close. */
  isExhausted = false;
  /** The lane that reads. */
  #reader: Lane | undefined = undefined;
  /** Whether a call of `next()` is under way. */
  #isReading = false;
  /** Lanes that want an item after that. */
  #waiting: Lane[] = [];
  /** The call of `return()`, if that was made while `next()` was under way. */
  #returning: Promise<unknown> | undefined = undefined;
  #watch: Watch | undefined = undefined;
  #onClosed: () => void = () => {};
  readonly #onResult = (result: IteratorResult<unknown>) => this.#arrived(result);
  readonly #onError = (error: unknown) => this.#broken(error);

  constructor(source: ItemSource<unknown>, mapping: Mapping<unknown>) {
    this.#source = source;
    this.#mapping = mapping;
    this.task._flags |= LED;
    this.task._state = "running";
  }

  open(): void {
    this.task._enter(this.#mapping.nursery);
    this.#idle._scope = this.task;
    this.task._hang(this.#idle);
  }

  /** A lane wants an item. */
  pull(lane: Lane): void {
    if (this.#reader !== undefined) this.#waiting.push(lane);
    else this.#read(lane);
  }

  /** No lane wants anything any more: closes it, and calls `onClosed` when it has ended. */
  close(onClosed: () => void): void {
    const { task } = this;
    const iterator = this.#iterator;
    this.#onClosed = onClosed;
    this.#watch?.stop();
    task._unhang(this.#idle);
    if (this.#returning !== undefined) {
      // It is the body's as long as it goes on: what a body leaves behind is cut off.
      this.#returning.then(
        () => task._returned(undefined),
        (error) => task._threw(error),
      );
      return;
    }
    if (iterator !== undefined && !this.isExhausted) task.defer(() => closeIterator(iterator, task));
    task._returned(undefined);
  }

  /** Its task has left the tree. */
  closed(): void {
    this.#onClosed();
  }

  #read(lane: Lane): void {
    this.#reader = lane;
    this.#isReading = true;
    let result: Awaitable<IteratorResult<unknown>>;
    try {
      this.#iterator ??= this.#iterate();
      result = this.#iterator.next();
    } catch (error) {
      this.#broken(error);
      return;
    }
    if (!this.#isAsync) this.#arrived(result as IteratorResult<unknown>);
    else {
      this.task._unhang(this.#idle);
      Promise.resolve(result).then(this.#onResult, this.#onError);
    }
  }

  #iterate(): AnyIterator {
    const source = this.#source;
    const iterable = requireIterable(typeof source === "function" ? source(this.task) : source, this.#mapping.caller);
    if (!isAsyncIterable(iterable)) return iterable[Symbol.iterator]();
    this.#isAsync = true;
    const iterator = iterable[Symbol.asyncIterator]();
    // A generator takes a `return()` only after the `next()` that is under way: it is its scope that ends that.
    const isGenerator = Object.prototype.toString.call(iterator) === "[object AsyncGenerator]";
    if (!isGenerator) this.#watch = new Watch(this.#mapping.nursery, () => this.#interrupt());
    return iterator;
  }

  /** Cancelled: if an item is being waited for, it may never come, so `return()` is called at once. */
  #interrupt(): void {
    const iterator = this.#iterator;
    if (iterator === undefined || !this.#isReading) return;
    // In a shield, as where it is closed at the end.
    const closing = new CancelScope({ shield: true, name: "cleanup" });
    const { task } = this;
    this.#returning = runScope(closing, () => closeIterator(iterator, task), task, { caller: "return()" });
    quiet(this.#returning);
  }

  #arrived(result: IteratorResult<unknown>): void {
    const mapping = this.#mapping;
    const lane = this.#reader;
    if (lane === undefined) return;
    this.#rest();
    let value: unknown;
    try {
      if (Object(result) !== result)
        throw new TypeError(`next() of an iterator gave ${describe(result)}, which is no result of an iterator`);
      // One that was closed while it was being read has not come to its end by itself.
      this.isExhausted = Boolean(result.done) && this.#returning === undefined;
      value = result.value;
    } catch (error) {
      this.#broken(error);
      return;
    }
    if (this.isExhausted || mapping.nursery._reason !== undefined) this.#endLanes();
    else {
      this.#reader = undefined;
      mapping.hand(lane, value);
      this.#readOn();
    }
  }

  /** For the next lane that waits for that. */
  #readOn(): void {
    const next = this.#waiting.pop();
    if (next === undefined) return;
    if (this.#mapping.nursery._reason === undefined) this.#read(next);
    else {
      this.#reader = next;
      this.#endLanes();
    }
  }

  /** The iterator threw, or is none: there are no more items, and nothing to close. */
  #broken(error: unknown): void {
    if (this.#reader === undefined) return;
    const { task } = this;
    const { nursery } = this.#mapping;
    this.#rest();
    if (this.#returning !== undefined && error instanceof ClosedResourceError) {
      // It was closed while it was being read.
      this.#endLanes();
      return;
    }
    this.isExhausted = true;
    const verdict = task._judge(error);
    if (!verdict.isCancellation) nursery._failed(verdict.error);
    else if ((task._flags & CALLED) === 0 || task._isCancelledOutside) nursery._outcome.cancelled(verdict.reason);
    else {
      const message = `${task._path} was cancelled by its own scope, so there are no more items`;
      nursery._failed(new TaskCancelledError(message, task._path, verdict.reason));
    }
    this.#endLanes();
  }

  #rest(): void {
    this.#isReading = false;
    if (this.#idle._next === undefined) this.task._hang(this.#idle);
  }

  /** There are no more items: for the lane that reads, and for those that wait for it. */
  #endLanes(): void {
    if (this.#reader === undefined) return;
    const waiting = this.#waiting;
    this.#rest();
    this.#reader = undefined;
    this.#waiting = [];
    const mapping = this.#mapping;
    const { _reason: reason } = mapping.nursery;
    const lanes = waiting.length + 1;
    if (!this.isExhausted && reason !== undefined) mapping.cutOff(lanes, reason);
    else for (let i = 0; i < lanes; i++) mapping.laneEnded();
  }
}

/** What a source turns out to be. */
function requireIterable(source: unknown, caller: string): AnyIterable<unknown> {
  if (isIterable(source)) return source;
  const what = isPromiseLike(source) ? "a promise, which an `async function` without the asterisk returns" : describe(source);
  throw new TypeError(`${caller}() reads an iterable, an async one, or a function that makes one, not ${what}`);
}
