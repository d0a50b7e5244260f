import { cancellation, isCancelled } from "../kernel/cancelled.js";
import { LEAVING } from "../kernel/flags.js";
import { operate } from "../kernel/lookup.js";
import { type Parked, park } from "../kernel/park.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import { checkpoint } from "../kernel/time.js";
import { moveOnAfter } from "../kernel/timeouts.js";
import type { Cancellable } from "../kernel/types.js";
import { requireDuration, requireFunction } from "../kernel/validate.js";
import { FirstSuccess } from "./first-success.js";

import { requireFunctions } from "./named-functions.js";
import { optionsOf, whereOf } from "./options.js";
import type { ResultOf, ResultsOf, TaskFunction } from "./task-function.js";

export interface StaggeredOptions extends Cancellable {
  /** Milliseconds after which the next attempt begins, though the last one goes on. `Infinity`: only when that has failed. Default 250, as for connections. */
  readonly delay?: number | undefined;
}

/**
 * Attempts one function after another until the first has succeeded: the next begins when the last has failed, or has gone on for `delay` milliseconds. Resolves to
 * the value of that success, after the attempts under way, which are cancelled then, have ended. Known as happy eyeballs.
 *
 * Each attempt is a task of its own, and receives its scope. The functions are taken from the iterable when their turn has come, so it may be endless, and what is
 * not needed is never made. The failure of an attempt that has been followed by another one already starts none. If none succeeds, it rejects with an
 * `ErrorGroup` of one error for each attempt, in their order. Failures do not count otherwise: in this it is as `any`. The value of a loser that can be disposed
 * is. The iterator of the functions is closed, if it has not come to its end. Cancelled from outside, it throws `Cancelled` when all of that is over.
 *
 * Source: trio.open_tcp_stream; RFC 8305.
 *
 * @throws ErrorGroup if none succeeds; without errors, if there are none
 * @throws UsageError if one of them is a promise: what it stands for is running already. Then the others are cancelled, as they are if the iterable throws
 * @throws RangeError for a wrong `delay`
 * @example
 * const socket = await staggered(addresses.map((address) => (scope) => connect(address, scope)), { delay: 250 });
 */
export function staggered<F extends readonly TaskFunction[] | readonly []>(
  functions: F,
  options?: StaggeredOptions,
  scope?: Cancellable,
): Promise<ResultsOf<F>[number]>;
export function staggered<F extends TaskFunction>(
  functions: Iterable<F>,
  options?: StaggeredOptions,
  scope?: Cancellable,
): Promise<ResultOf<F>>;
export function staggered(functions: Iterable<TaskFunction>, options?: StaggeredOptions, scope?: Cancellable): Promise<unknown> {
  return operate(whereOf(scope, options), staggeredIn, { functions, options });
}

interface Request {
  readonly functions: Iterable<TaskFunction>;
  readonly options: StaggeredOptions | undefined;
}

function staggeredIn(scope: CancelScope, { functions, options }: Request): Promise<unknown> {
  requireFunctions(functions, "staggered()");
  const { delay = 250 } = optionsOf(options, "staggered()");
  return new Staggered("staggered", requireDuration(delay, "the delay of staggered()")).attempt(scope, functions);
}

/** A group whose members begin one after another. */
export class Staggered<T> extends FirstSuccess<T> {
  readonly #delay: number;
  #latest: Task | undefined = undefined;
  /** Waits for the failure of the latest. */
  #parked: Parked<void> | undefined = undefined;

  constructor(caller: string, delay: number) {
    super(caller);
    this.#delay = delay;
  }

  attempt(scope: CancelScope, functions: Iterable<TaskFunction>): Promise<T> {
    this.nursery._enter(scope);
    this.nursery._flags |= LEAVING;
    this.nursery.startSoon((starter) => this.#startAll(functions, starter), { name: "starter" });
    return this.settled(scope);
  }

  protected override memberEnded(member: Task): void {
    super.memberEnded(member);
    if (member === this.#latest && this.winner === undefined) this.#parked?.wake();
  }

  async #startAll(functions: Iterable<TaskFunction>, starter: Task): Promise<void> {
    let iterator: Iterator<TaskFunction> | undefined;
    try {
      const opened = functions[Symbol.iterator]();
      for (let next = opened.next(); next.done !== true; next = opened.next()) {
        iterator = opened;
        this.#begin(next.value);
        await (this.#delay === 0 ? checkpoint(starter) : moveOnAfter(this.#delay, (scope) => this.#failureOfLatest(scope), starter));
        // If it throws now, or has no more, it is closed already.
        iterator = undefined;
      }
    } catch (error) {
      if (isCancelled(error) && this.nursery._reason !== undefined) throw error;
      this.#broken(error);
    } finally {
      if (iterator !== undefined) this.#closeIterator(iterator);
    }
  }

  /** Not by a `for of` loop, which drops what goes wrong here when it is left by a throw. */
  #closeIterator(iterator: Iterator<TaskFunction>): void {
    try {
      iterator.return?.();
    } catch (error) {
      this.#broken(error);
    }
  }

  #begin(fn: TaskFunction): void {
    requireFunction(fn, `${this.caller}(), at ${this.members.length},`);
    const member = this.addMember(fn);
    this.#latest = member;
    member._begin(fn);
  }

  #broken(error: unknown): void {
    const { nursery } = this;
    nursery._outcome.fail(error);
    nursery._cancelWith(cancellation("failure", nursery._path, error, nursery._tree));
  }

  #failureOfLatest(scope: CancelScope): Promise<void> {
    const start = (parked: Parked<void>) => {
      this.#parked = parked;
    };
    return park(start, { op: "wait for a failure" }, scope);
  }
}
