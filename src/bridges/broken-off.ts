import { isCancelled } from "../kernel/cancelled.js";
import { describe } from "../kernel/describe.js";
import { BrokenResourceError } from "../kernel/errors.js";

/**
 * What a nursery is told of a stream that somebody broke off: the reason, as it is. Where that is none, or only says that something else was cancelled,
 * an error that says what has happened here.
 */
export function brokenOff(reason: unknown): unknown {
  if (!isNone(reason) && !standsForCancellation(reason)) return reason;
  const because = isNone(reason) ? "" : ` (${describe(reason)})`;
  const message = `a stream into a channel was broken off before its end${because}, so what came out of the channel is not all`;
  return new BrokenResourceError(message, isNone(reason) ? undefined : { cause: reason });
}

/** How streams of the web and of Node say that no reason was given. */
export function isNone(reason: unknown): reason is null | undefined {
  return reason === undefined || reason === null;
}

/** Whether it says that something of creche was cancelled, as streams pass that on: `AbortError`s of Node have it as their cause. */
export function standsForCancellation(reason: unknown): boolean {
  return isCancelled(reason) || isCancelled(causeOf(reason));
}

function causeOf(reason: unknown): unknown {
  try {
    return (reason as { cause?: unknown }).cause;
  } catch {
    return undefined;
  }
}
