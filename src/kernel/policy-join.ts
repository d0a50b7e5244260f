import { cancellation, isCancelled } from "./cancelled.js";
import { describe } from "./describe.js";
import { ErrorGroup, membersOf } from "./error-group.js";
import { UsageError } from "./errors.js";
import { BACKGROUND, CALLED, FLOATING } from "./flags.js";
import type { Nursery } from "./nursery.js";
import type { JoinPolicy, Policy, SettledTask } from "./policy.js";
import type { Task } from "./task.js";
import { isThenable } from "./thenable.js";

/** Policies that have a result of their own, and have been given to a nursery: what they know is about the tasks of that one. */
const used = new WeakSet<object>();

/** The policy of one nursery, at work. */
export class PolicyJoin {
  readonly #policy: Policy;
  readonly #hasResult: boolean;
  readonly #nursery: Nursery;
  /** The task that the policy is being asked about: it has not left the tree yet, but its outcome is final. */
  asking: Task | undefined = undefined;
  /** Whether the policy has had its last word. What ends from then on is the nursery's alone. */
  isOver = false;
  /** Nobody will get the result, so it is not asked for. */
  isUnwanted = false;
  #result: unknown = undefined;
  /** Tasks whose disposable value is part of the result. */
  readonly kept = new Set<Task>();
  /** The failures that come out only through the result, in order of occurrence. */
  readonly #failures = new Set<unknown>();

  constructor(policy: Policy, nursery: Nursery) {
    this.#policy = requirePolicy(policy);
    this.#hasResult = policy.result !== undefined;
    this.#nursery = nursery;
  }

  /** What the nursery ends with whose body has returned `value`. */
  resultInsteadOf(value: unknown): unknown {
    return this.#hasResult ? this.#result : value;
  }

  /** A task has ended, and is still in the nursery. */
  settled(task: Task): void {
    const nursery = this.#nursery;
    const isOurs = !this.isOver && (!this.#hasResult || (task._flags & BACKGROUND) === 0);
    const isFailed = task._state === "failed";
    // Who catches a cancellation is decided by the tree, never by a policy.
    if (task._state === "cancelled" || (isFailed && !isOurs)) task._tellNursery(nursery);
    if (!isOurs) return;
    if (isFailed) {
      if (this.#hasResult) this.#failures.add(task._result);
      else nursery._outcome.fail(task._result);
    }
    this.asking = task;
    try {
      if (this.#isEnough(task) && (nursery._flags & CALLED) === 0) {
        const why = isFailed ? task._result : "its policy says so";
        nursery._cancelWith(cancellation(isFailed ? "failure" : "cancel", nursery._path, why, nursery._tree));
      }
    } catch (error) {
      this.#broke(error);
    } finally {
      this.asking = undefined;
    }
  }

  /** Nothing is left in the nursery but its cleanups. Asked again, it disposes a result that has been lost since, because one of those failed. */
  conclude(): void {
    if (!this.isOver) {
      this.isOver = true;
      if (this.#hasResult && !this.isUnwanted && !this.#isResultLost) this.#ask(this.#policy as JoinPolicy);
    }
    if (!this.hasLost) return;
    for (const task of this.kept) this.#nursery._dispose(task);
    this.kept.clear();
  }

  get hasLost(): boolean {
    return this.kept.size > 0 && this.#isResultLost;
  }

  /** Whether the nursery will throw, as things stand, or has been cut off with nobody to tell. */
  get #isResultLost(): boolean {
    const nursery = this.#nursery;
    const outcome = nursery._rare?.outcome;
    if (outcome === undefined || outcome.isClean) return false;
    return outcome.hasFailed || (nursery._flags & (CALLED | FLOATING)) !== CALLED || nursery._isCancelledOutside;
  }

  #isEnough(task: Task): boolean {
    const answer: unknown = this.#policy.onSettled(task as SettledTask);
    if (answer === "cancel" || answer === "continue") return answer === "cancel";
    throw new UsageError(`onSettled() of a policy returns "continue" or "cancel", at once, not ${describe(answer)}`);
  }

  /** It is left alone then. Nobody will get its result, so what it was to tell of is the nursery's. */
  #broke(error: unknown): void {
    this.isOver = true;
    for (const failure of this.#failures) this.#nursery._outcome.fail(failure);
    this.#nursery._failed(error);
  }

  #ask(policy: JoinPolicy): void {
    const { _undelivered: undelivered } = this.#nursery;
    try {
      this.#result = resultOf(policy);
      for (const task of undelivered ?? []) {
        if ((task._flags & BACKGROUND) !== 0) continue;
        if (policy.keeps?.(task as SettledTask) ?? true) this.kept.add(task);
        else this.#nursery._dispose(task);
        undelivered?.delete(task);
      }
    } catch (error) {
      this.#threw(error);
    }
  }

  #threw(error: unknown): void {
    const nursery = this.#nursery;
    if (nursery._reason !== undefined && isCancelled(error) && error._tree === nursery._tree) nursery._outcome.cancelled(error);
    // The tasks' own failures: whether they come as a group is for the nursery to say.
    else if (this.#isOfTasks(error)) for (const each of error.errors) nursery._failed(each);
    else nursery._failed(error);
  }

  #isOfTasks(error: unknown): error is ErrorGroup {
    // Of an error that has members it can be asked what it is, of others not always.
    const members = membersOf(error) ?? [];
    return members.length > 0 && error instanceof ErrorGroup && members.every((each) => this.#failures.has(each));
  }
}

function resultOf(policy: JoinPolicy): unknown {
  const result = policy.result();
  if (!isThenable(result)) return result;
  throw new UsageError("result() of a policy returns its result at once, not a promise: nothing in the nursery would wait for that");
}

function requirePolicy(policy: Policy): Policy {
  const { onSettled, result, keeps } = Object(policy) as { onSettled?: unknown; result?: unknown; keeps?: unknown };
  const isWrong = (method: unknown) => method !== undefined && typeof method !== "function";
  if (typeof onSettled !== "function" || isWrong(result) || isWrong(keeps)) {
    const advice = typeof policy === "function" ? ": pass collect(), not collect" : "";
    throw new TypeError(
      `\`policy\` of a nursery is an object with onSettled(), and with result() if it has one, not ${describe(policy)}${advice}`,
    );
  }
  if (result !== undefined) {
    if (used.has(policy))
      throw new UsageError("this policy was given to a nursery before, and knows of the tasks there: make one for each nursery");
    used.add(policy);
  }
  return policy;
}
