import { describe } from "../kernel/describe.js";

export function requireSignal(signal: AbortSignal, caller: string): void {
  const { addEventListener, aborted } = Object(signal) as Partial<AbortSignal>;
  if (typeof addEventListener === "function" && typeof aborted === "boolean") return;
  throw new TypeError(`${caller} takes an AbortSignal, not ${describe(signal)}`);
}
