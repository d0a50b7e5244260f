import type { Cancelled } from "../kernel/cancelled.js";
import { UsageError } from "../kernel/errors.js";
import { CALLED, DRAINING, TASK, TEMPORARY } from "../kernel/flags.js";
import { release, scopeOf } from "../kernel/lookup.js";
import { Nursery } from "../kernel/nursery.js";
import { type Parked, park } from "../kernel/park.js";
import { CancelScope } from "../kernel/scope.js";
import type { ScopeNode } from "../kernel/scope-node.js";
import { Task } from "../kernel/task.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import { brokenOff, isNone, standsForCancellation } from "./broken-off.js";

/**
 * The life of a stream in a scope, like that of a task in the background: it holds nothing up, it is cancelled with the scope and when the scope is left,
 * and the scope is not left before the stream has let go. What streams call back runs outside of any scope of ours, so it waits in this one.
 */
export class StreamLife {
  readonly scope: CancelScope;
  /** Waits for the end of the stream; parked while the stream lives. */
  #life: Parked<void> | undefined = undefined;
  #isOver = false;
  #busy: CancelScope | undefined = undefined;

  /** Enters the scope that `where` names. It lives only from `begin` on, so that a stream can be made in between. */
  constructor(name: string, where: Cancellable | undefined) {
    this.scope = new CancelScope({ name });
    // In the eyes of deadlock reports it is it that waits, not the task that made it: that one may be busy with the stream's other side.
    this.scope._flags |= TASK;
    const parent = scopeOf(where);
    try {
      if (nurseryOf(parent) === undefined) {
        const advice = "there is none under a foreign signal alone: use it inside run()";
        throw new UsageError(
          `${name}() needs a nursery around it, which is told if the stream fails with nobody else to tell, and ${advice}`,
        );
      }
      this.scope._enter(parent);
    } catch (error) {
      release(parent);
      throw error;
    }
  }

  /** Whether the stream has come to its end, in whatever way, and only cleans up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the scope around it is being left without a failure or a cancellation: whoever made the stream has forgotten it. */
  get wasForgotten(): boolean {
    if ((this.scope._flags & CALLED) === 0) return false;
    let left = this.scope._parent as ScopeNode;
    while ((left._flags & TEMPORARY) !== 0) left = left._parent as ScopeNode;
    if (left instanceof Task && (left.state === "failed" || left.state === "cancelled")) return false;
    return left._reason === undefined && left._rare?.outcome?.isClean !== false;
  }

  /** Whether an operation of the library waits for the stream itself. */
  set isBusy(on: boolean) {
    if (on === (this.#busy?._next !== undefined) || this.#isOver) return;
    this.#busy ??= newBusy();
    if (on) comeInto(this.scope, this.#busy);
    else this.#busy._detach();
  }

  /** `onCancel` is called once, synchronously, if the scope is cancelled or left before the stream is over; now, if it is cancelled already. */
  begin(onCancel: (reason: Cancelled) => void): void {
    const { scope } = this;
    const cancel = () => {
      if (!this.#isOver) onCancel(scope._reason as Cancelled);
    };
    if (scope._refusal() !== undefined) cancel();
    else {
      void park<void>(
        (life) => {
          this.#life = life;
          return cancel;
        },
        { op: "stream" },
        scope,
      );
    }
  }

  /** The stream is over: what waits in it is cancelled, and after `cleanup` it leaves the scope around it. Has an effect once. */
  end(cleanup?: () => Awaitable<unknown>): void {
    if (this.#isOver) return;
    this.isBusy = false;
    this.#isOver = true;
    // What cleans up may be code of the user, who means the task around it when asking for the current one.
    this.scope._flags &= ~TASK;
    if (cleanup !== undefined) this.scope.defer((scope) => awaited(cleanup, scope));
    this.#life?.wake();
    void this.#leaveAndEnd();
  }

  /**
   * As `end`, because the scope is cancelled or left. `tell` tells others of it, who may be about to be cancelled for the same cause, one after the other:
   * they are to find out about that first, and not to fail on a closed end. So it has to wait.
   */
  endCancelled(tell: () => void, cleanup?: () => Awaitable<unknown>): void {
    this.end(() => Promise.all([Promise.resolve().then(tell), cleanup?.()]));
  }

  /** A failure that nobody is told of otherwise: the nursery around it has failed, and cancels everything in it before this returns. */
  fail(error: unknown): void {
    // It is in the nursery, which therefore has not ended.
    (nurseryOf(this.scope._parent) as Nursery)._bodyThrew(error);
  }

  /** Somebody outside broke the stream off. Where everything is being ended anyway, that may be all that it means. */
  breakOff(reason: unknown): void {
    const isEnding = this.#isEnding && (isNone(reason) || standsForCancellation(reason));
    if (!isEnding && !this.scope._judge(reason).isCancellation) this.fail(brokenOff(reason));
  }

  /** Whether it is cancelled; or is about to be, because what it is in is being left, and others there are first. */
  get #isEnding(): boolean {
    if (this.scope._reason !== undefined) return true;
    let at = this.scope._parent as ScopeNode;
    while ((at._flags & DRAINING) === 0 && !(at instanceof Nursery)) at = at._parent as ScopeNode;
    return (at._flags & DRAINING) !== 0;
  }

  /** Between the last look at what is in it and its end there is no await; and the nursery is told while it cannot have ended. */
  async #leaveAndEnd(): Promise<void> {
    const { scope } = this;
    for (let leaving = scope._leave(); leaving !== undefined; leaving = scope._leave()) await leaving;
    const outcome = scope._rare?.outcome;
    if (outcome?.hasFailed) this.fail(outcome.error(scope));
    const parent = scope._parent as ScopeNode;
    scope._end();
    release(parent);
  }
}

/**
 * Stands in the tree for what a stream does, as a task that waits for nothing that the library knows of: a simulation then gives it time,
 * instead of seeing a deadlock where all that is known waits. It comes and goes.
 */
function newBusy(): CancelScope {
  const busy = new CancelScope({ name: "stream" });
  busy._flags |= TASK;
  return busy;
}

function comeInto(scope: CancelScope, busy: CancelScope): void {
  if (busy._tree === undefined) busy._enter(scope);
  else busy._attach(scope);
}

/** Awaits what a stream does, no longer than cleanups may take. */
async function awaited(cleanup: () => Awaitable<unknown>, scope: CancelScope): Promise<void> {
  const done = cleanup();
  if (scope.deadline === Number.POSITIVE_INFINITY) {
    const busy = newBusy();
    comeInto(scope, busy);
    try {
      await done;
    } finally {
      busy._detach();
    }
  } else {
    const start = (parked: Parked<void>) => {
      Promise.resolve(done).then(
        () => parked.wake(),
        (error) => parked.fail(error),
      );
    };
    await park<void>(start, { op: "let go" }, scope);
  }
}

function nurseryOf(scope: ScopeNode | undefined): Nursery | undefined {
  let at = scope;
  while (at !== undefined && !(at instanceof Nursery)) at = at._parent;
  return at;
}
