import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import type { ParkOptions } from "../kernel/park.js";
import { CancelScope } from "../kernel/scope.js";

/** What a cancellation does to the wait for a foreign operation: the wait goes on until the operation settles, or ends now and leaves the operation behind. */
export type Settle = "wait" | "now";

/** What the bridges to foreign operations have in common. */
export interface BridgeOptions<T> extends Pick<ParkOptions, "op" | "on"> {
  /** Gets a value that comes when nobody waits for it any more. Without it, such a value is disposed if it can be. It is called in no scope, and must not wait. */
  readonly onLate?: ((value: T) => unknown) | undefined;
}

/** Finds what is wrong with the options of `caller`. */
export function requireOptions(options: object | undefined, caller: string): void {
  if (options === undefined) return;
  if (options instanceof CancelScope) throw new UsageError(`${caller} takes its options before the scope: pass undefined for no options`);
  const { settle, onCancel, onLate } = Object(options) as Readonly<Record<string, unknown>>;
  if (settle !== undefined && settle !== "wait" && settle !== "now") {
    throw new UsageError(`\`settle\` of ${caller} is "wait" or "now", not ${describe(settle)}`);
  }
  for (const [name, given] of Object.entries({ onCancel, onLate })) {
    if (given !== undefined && typeof given !== "function")
      throw new TypeError(`\`${name}\` of ${caller} is a function, not ${describe(given)}`);
  }
}
