/** More came than there was room for, and the policy for that is to fail. */
export class OverflowError extends Error {
  override readonly name = "OverflowError";
}
