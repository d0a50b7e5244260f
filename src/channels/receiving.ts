import { EndOfChannel } from "../kernel/errors.js";
import { type Alternative, type Choice, type Enlisted, enlistIn } from "../kernel/selectable.js";
import { type HandledWait, WaitHandler } from "../kernel/wait-handler.js";
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

/** Ends waits as an iterator tells it: the end of the channel is a result. */
export class NextHandler extends WaitHandler {
  readonly #loop: Loop;

  constructor(loop: Loop) {
    super();
    this.#loop = loop;
  }

  override end(waiter: HandledWait, outcome: unknown, failed: boolean, isBehind: boolean): boolean {
    if (!failed) return waiter._endAs({ done: false, value: outcome }, false, isBehind);
    return outcome instanceof EndOfChannel ? waiter._endAs(END, false) : waiter._endAs(outcome, true);
  }

  override cancel(waiter: HandledWait, reason: unknown): boolean {
    waiter._endCancelled(reason);
    return true;
  }

  /** When all that is cancelled together has been: those of them that wait on the same end are not to find it closed instead. */
  override finishCancel(): void {
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
