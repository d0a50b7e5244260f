import { Cancelled, leaves, TaskCancelledError, TimeoutError } from "../../../src/index.js";

/** A failure that belongs to the script. */
export class PlannedFailure extends Error {
  override readonly name = "PlannedFailure";
}

/** Whether everything in an error was to be expected: anything else is a bug, of the application or of what it is made of. */
export function isPlanned(error: unknown): boolean {
  return leaves(error).every((leaf) => EXPECTED.some((kind) => leaf instanceof kind));
}

const EXPECTED = [PlannedFailure, TimeoutError, TaskCancelledError, Cancelled];
