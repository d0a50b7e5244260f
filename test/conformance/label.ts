import {
  BrokenResourceError,
  Cancelled,
  ClosedResourceError,
  EndOfChannel,
  ErrorGroup,
  TimeoutError,
  WouldBlock,
} from "../../src/index.js";

/** What a `raise` statement throws. */
export class Boom extends Error {
  override readonly name = "Boom";
}

const LABELS = new Map<unknown, string>([
  [EndOfChannel, "EndOfChannel"],
  [BrokenResourceError, "BrokenResource"],
  [ClosedResourceError, "ClosedResource"],
  [WouldBlock, "WouldBlock"],
  [TimeoutError, "TooSlow"],
  [Cancelled, "Cancelled"],
]);

/** What README.md calls an error. */
export function label(error: unknown): string {
  if (error instanceof Boom) return `Boom(${error.message})`;
  if (error instanceof ErrorGroup) return `[${error.errors.map(label).sort().join(",")}]`;
  if (!(error instanceof Error) || error.name === "Error") return `unexpected ${String(error)}`;
  return LABELS.get(error.constructor) ?? "RuntimeError";
}
