import { report } from "../kernel/deliver.js";
import { dispose, isDisposable } from "../kernel/dispose.js";
import { isThenable, promiseOf } from "../kernel/thenable.js";

/**
 * A value that came when nobody waited for it any more: for `onLate`, or else to be disposed, if it can be. There is no scope any more whose failure
 * it could be if that fails, so that is reported to the process.
 */
export function receiveLate<T>(value: T, onLate: ((value: T) => unknown) | undefined): void {
  try {
    const taken = onLate !== undefined ? onLate(value) : isDisposable(value) ? dispose(value) : undefined;
    if (isThenable(taken)) promiseOf(taken).catch(report);
  } catch (error) {
    report(error);
  }
}
