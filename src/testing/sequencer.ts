import { BrokenResourceError, Event, UsageError } from "../index.js";
import type { Cancellable } from "../kernel/types.js";

/** A place in a sequence that has been entered. The next one is open when it has been left. */
export interface SequencePoint extends AsyncDisposable {
  leave(): void;
}

/**
 * Forces an order on tasks in a test: place 0 is open at once, each further one when the one before has been left.
 *
 * Source: trio.testing.Sequencer.
 *
 * @example
 * const seq = new Sequencer();
 * nursery.startSoon(async (task) => {
 *   await using _ = await seq.at(0, task); // until the end of this block nobody enters place 1
 *   await write(a);
 * });
 */
export class Sequencer {
  readonly #doors = new Map<number, Event>();
  readonly #taken = new Set<number>();
  #isBroken = false;

  constructor() {
    this.#door(0).set();
  }

  /**
   * Waits until the places before have been left, in order. A full checkpoint.
   *
   * @throws RangeError if `n` is no integer from 0
   * @throws UsageError if the place has been asked for before
   * @throws BrokenResourceError if the wait for an earlier place was cancelled, so that its turn never comes
   */
  async at(n: number, scope?: Cancellable): Promise<SequencePoint> {
    if (!Number.isInteger(n) || n < 0) throw new RangeError(`a place in a sequence is an integer from 0, not ${n}`);
    if (this.#taken.has(n)) throw new UsageError(`place ${n} of the sequence was asked for before: each is entered once`);
    this.#requireWhole();
    this.#taken.add(n);
    try {
      await this.#door(n).wait(scope);
    } catch (error) {
      this.#break();
      throw error;
    }
    this.#requireWhole();
    const leave = () => this.#door(n + 1).set();
    return { leave, [Symbol.asyncDispose]: async () => leave() };
  }

  /** Runs `body` in place `n`. */
  async run<T>(n: number, body: () => T | PromiseLike<T>, scope?: Cancellable): Promise<T> {
    const point = await this.at(n, scope);
    try {
      return await body();
    } finally {
      point.leave();
    }
  }

  #door(n: number): Event {
    let door = this.#doors.get(n);
    if (door === undefined) {
      door = new Event();
      this.#doors.set(n, door);
    }
    return door;
  }

  #requireWhole(): void {
    if (this.#isBroken) throw new BrokenResourceError("the sequence is broken: the wait for one of its places was cancelled");
  }

  /** Whoever waits for a later place would wait for ever. */
  #break(): void {
    this.#isBroken = true;
    for (const door of this.#doors.values()) door.set();
  }
}
