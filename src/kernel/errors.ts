/** Misuse of the library, found at the call that is wrong. The message says what to do instead. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** A function needed a scope and found neither an argument nor an ambient one, so what it would start would be nobody's. */
export class MissingScopeError extends UsageError {
  override readonly name = "MissingScopeError";
}

/** A task was to be started in a nursery that has ended already. The task function was not called. */
export class NurseryClosedError extends UsageError {
  override readonly name = "NurseryClosedError";
}

/** Code that nobody awaited went on in a scope after its end, and tried to wait or to start something there. */
export class ScopeEndedError extends UsageError {
  override readonly name = "ScopeEndedError";
  /** Path of the scope that had ended. */
  readonly scope: string;

  constructor(message: string, scope: string) {
    super(message);
    this.scope = scope;
  }
}

/** The time of `failAfter`, `failAt` or a `shield` with a timeout was over. Thrown at the boundary of that very scope. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
  /** Path of the scope whose deadline passed. */
  readonly scope: string;

  constructor(message: string, scope: string) {
    super(message);
    this.scope = scope;
  }
}

/** `join()` of a task that was cancelled: somebody else's cancellation, so an error for the one who joins. */
export class TaskCancelledError extends Error {
  override readonly name = "TaskCancelledError";
  /** Path of the task that was cancelled. */
  readonly task: string;

  constructor(message: string, task: string, cause: unknown) {
    super(message, { cause });
    this.task = task;
  }
}

/**
 * Something cannot be used any more because of what others did: whoever held a lock ended without giving it back,
 * so what it guards may be in any state; or all receive ends of a channel are closed, so nobody would take what is sent.
 */
export class BrokenResourceError extends Error {
  override readonly name = "BrokenResourceError";
}

/** `receive()` of a channel whose send ends are all closed, and in which nothing is left: the regular end of a stream. */
export class EndOfChannel extends Error {
  override readonly name = "EndOfChannel";
}

/** Something was used after its own side had closed it, or was closed while it was being used. */
export class ClosedResourceError extends Error {
  override readonly name = "ClosedResourceError";
}

/** A `...Nowait` call could not be done at once. */
export class WouldBlock extends Error {
  override readonly name = "WouldBlock";
}

/** One operation that waits, as a deadlock report shows it. */
export interface Waiting {
  /** Path of the task that waits. */
  readonly task: string;
  readonly op: string;
  /** What it waits for, `""` if for nothing in particular. */
  readonly on: string;
  /** Path of the task that holds it, where that is known. */
  readonly heldBy?: string | undefined;
  /** In development mode, where that task was started. */
  readonly startedAt?: string | undefined;
}

/** In simulated time: nothing can ever go on again, because everything waits and no time can pass that would end a wait. */
export class DeadlockError extends Error {
  override readonly name = "DeadlockError";
  /** Who waits on what. */
  readonly waiting: readonly Waiting[];

  constructor(message: string, waiting: readonly Waiting[]) {
    super(message);
    this.waiting = waiting;
  }
}
