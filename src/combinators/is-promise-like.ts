import { isThenable } from "../kernel/thenable.js";

/** Whether `await` would wait for it. What cannot be asked, because a getter throws, is taken as it is. */
export function isPromiseLike(value: unknown): boolean {
  try {
    return isThenable(value);
  } catch {
    return false;
  }
}
