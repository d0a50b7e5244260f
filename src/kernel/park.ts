import { operate } from "./lookup.js";
import { Operation } from "./operation.js";
import type { CancelScope } from "./scope.js";
import type { Cancellable } from "./types.js";
import { requireFunction } from "./validate.js";

/** The handle of a parked operation: exactly one of the two ends the wait, and everything after that has no effect. */
export interface Parked<T> {
  /** Ends the wait with a value. False if it was over already, because of a cancellation for example: then the value has not been delivered. */
  wake(value: T): boolean;
  /** Ends the wait with an error. False if it was over already. */
  fail(error: unknown): boolean;
}

/** Undoes the wait: called once, synchronously, when the scope is cancelled. `false` says that it cannot be undone, and the wait goes on. */
export type Abort = () => unknown;

export interface ParkOptions {
  /** What is being done, as a verb, for dumps and deadlock reports. */
  readonly op?: string | undefined;
  /** What it is done to. */
  readonly on?: object | undefined;
  /**
   * Whether it is woken from outside of the library, by an event or a callback: simulated time then waits a while, in real time, before it takes it for
   * a deadlock. Default `false`: by another task.
   */
  readonly foreign?: boolean | undefined;
}

class Parking<T> extends Operation<T> implements Parked<T> {
  readonly op: string;
  readonly on: object | undefined;
  readonly #isForeign: boolean;
  /** How to undo the wait; known once `start` has returned. */
  #onCancel: Abort | undefined = undefined;
  #isStarting = true;
  /** It refused to be undone, and is not asked again. */
  #isUninterruptible = false;
  #reason: unknown = undefined;

  constructor(options: ParkOptions | undefined) {
    super();
    this.op = options?.op ?? "park";
    this.on = options?.on;
    this.#isForeign = options?.foreign === true;
  }

  override get isForeign(): boolean {
    return this.#isForeign;
  }

  override get isCancellable(): boolean {
    return !this.#isUninterruptible;
  }

  wake(value: T): boolean {
    return this.waiter.wake(value);
  }

  fail(error: unknown): boolean {
    return this.waiter.fail(error);
  }

  /** `start` is over. A cancellation that came meanwhile had to wait for it. */
  started(onCancel: unknown): void {
    this.#isStarting = false;
    if (typeof onCancel === "function" && !this.waiter.isOver) this.#onCancel = onCancel as Abort;
    if (this.waiter.isAborting) this.finishCancel(this.#reason);
  }

  /** `start` threw: that is how the wait ends, also if it was cancelled meanwhile. */
  failedToStart(error: unknown): void {
    this.#isStarting = false;
    if (this.waiter.isAborting) this.waiter._endAborting(error);
    else this.fail(error);
  }

  override forget(): void {
    this.#onCancel = undefined;
  }

  override cancel(reason: unknown): boolean {
    if (this.#onCancel === undefined && !this.#isStarting) return super.cancel(reason);
    this.waiter._beginAborting();
    return true;
  }

  override finishCancel(reason: unknown): void {
    this.#reason = reason;
    if (this.#isStarting) return;
    const onCancel = this.#onCancel;
    this.#onCancel = undefined;
    try {
      this.#isUninterruptible = onCancel?.() === false;
      if (this.#isUninterruptible) this.waiter._refuseAborting();
      else this.waiter._endAborting(reason);
    } catch (error) {
      this.waiter._endAborting(error);
    }
  }
}

/**
 * Waits until somebody calls `wake` or `fail`: the lowest-level way to wait, from which primitives and bridges are made.
 *
 * `start` is called at once with the handle, and returns how to undo the wait, if anything has to be undone. When the scope is cancelled first,
 * that is called, synchronously, and `park` throws `Cancelled`; what it throws itself is thrown instead. A full checkpoint.
 *
 * Source: trio.lowlevel.wait_task_rescheduled.
 *
 * @throws whatever `start` throws; then nothing waits
 * @example
 * const opened = (socket: Socket) =>
 *   park<void>((parked) => {
 *     const onOpen = () => parked.wake();
 *     socket.once("open", onOpen);
 *     return () => socket.off("open", onOpen);
 *   }, { op: "open", on: socket, foreign: true });
 */
export function park<T = void>(start: (parked: Parked<T>) => Abort | void, options?: ParkOptions, scope?: Cancellable): Promise<T> {
  return operate(scope, parkIn<T>, { start, options });
}

function parkIn<T>(
  scope: CancelScope,
  { start, options }: { start: (parked: Parked<T>) => Abort | void; options: ParkOptions | undefined },
): Promise<T> {
  requireFunction(start, "park()");
  const parking = new Parking<T>(options);
  const promise = scope._park(parking.waiter);
  try {
    parking.started(start(parking));
  } catch (error) {
    parking.failedToStart(error);
  }
  return promise;
}
