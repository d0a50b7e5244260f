import { ErrorGroup } from "../kernel/error-group.js";
import { FirstOf } from "./first-of.js";
import { errorOf } from "./group.js";

/** A group that is over with the first success; failures count only if there is none. */
export class FirstSuccess<T> extends FirstOf<T> {
  override get countsFailures(): boolean {
    return false;
  }

  override result(): T {
    if (this.winner !== undefined) return this.winner._result as T;
    throw noneSucceeded(
      this.members.map((member) => errorOf(member)),
      this.nursery._path,
    );
  }
}

/** What is thrown when there is no success: one error for each function, in their order. */
export function noneSucceeded(errors: readonly unknown[], path: string): ErrorGroup {
  return new ErrorGroup(errors, errors.length === 0 ? `${path}: there was no function that could succeed` : path);
}
