/** A task awaits something that is not of this library, where that is not allowed, or it was not settled in time. */
export class UncontrolledAwaitError extends Error {
  override readonly name = "UncontrolledAwaitError";
}
