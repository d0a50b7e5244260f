import { EndOfChannel } from "../kernel/errors.js";
import { type Alternative, type Choice, type Enlisted, enlistIn } from "../kernel/selectable.js";
import { QueueWaiter, type WaitQueue } from "../kernel/wait-queue.js";
import type { End } from "./end-queue.js";
import type { MemoryChannel } from "./memory-channel.js";
import { END } from "./next-item.js";

/** `receive()` as one of the cases of a `select`. */
export class Receiving<T> implements Alternative<T> {
  readonly #channel: MemoryChannel<T>;
  readonly #end: End;

  constructor(channel: MemoryChannel<T>, end: End) {
    this.#channel = channel;
    this.#end = end;
  }

  isReady(): boolean {
    return this.#channel.canReceive(this.#end);
  }

  take(): T {
    return this.#channel.take(this.#end);
  }

  enlist(choice: Choice): Enlisted {
    return enlistIn(this.#channel.receivers, this.#end, choice);
  }
}

/** As `Receiving`, where the end of the channel is a result, too. */
export class ReceivingOrEnd<T> implements Alternative<IteratorResult<T, undefined>> {
  readonly #receiving: Receiving<T>;

  constructor(receiving: Receiving<T>) {
    this.#receiving = receiving;
  }

  isReady(): boolean {
    return this.#receiving.isReady();
  }

  take(): IteratorResult<T, undefined> {
    return nextOf(this.#receiving);
  }

  enlist(choice: Choice): Enlisted {
    return this.#receiving.enlist({
      promise: choice.promise,
      wake: (value) => choice.wake({ done: false, value }),
      fail: (error) => (error instanceof EndOfChannel ? choice.wake(END) : choice.fail(error)),
    });
  }
}

/** Waits for an item as an iterator tells it: the end of the channel is a result. */
export class NextWaiter<T> extends QueueWaiter<T, End> {
  readonly #loop: Loop;

  constructor(queue: WaitQueue<T, End>, end: End, loop: Loop) {
    super(queue, end);
    this.#loop = loop;
  }

  override _end(outcome: unknown, failed: boolean, isBehind: boolean): boolean {
    if (!failed) return super._end({ done: false, value: outcome }, false, isBehind);
    return outcome instanceof EndOfChannel ? super._end(END, false) : super._end(outcome, true);
  }

  override _cancel(reason: unknown): boolean {
    super._cancel(reason);
    return true;
  }

  /** When all that is cancelled together has been: those of them that wait on the same end are not to find it closed instead. */
  override _finishCancel(): void {
    this.#loop._leave();
  }
}

/** An iteration that a cancellation ends. */
interface Loop {
  /** @internal */
  _leave(): void;
}

/** What can be received at once, as an iterator tells it. */
export function nextOf<T>(receiving: { take(): T }): IteratorResult<T, undefined> {
  try {
    return { done: false, value: receiving.take() };
  } catch (error) {
    if (error instanceof EndOfChannel) return END;
    throw error;
  }
}
