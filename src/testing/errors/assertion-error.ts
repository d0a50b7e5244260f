/** What a test asserts does not hold. Named as everybody's, so that test runners show it as one. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}
