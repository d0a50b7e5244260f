import { expect } from "vitest";
import { now } from "../../src/index.js";

/** What a call inside a run throws or rejects with. It takes no (virtual) time: a misuse is told at the call. */
export async function refusal(call: () => unknown): Promise<Error> {
  const begun = now();
  try {
    await call();
  } catch (error) {
    expect(now()).toBe(begun);
    return error as Error;
  }
  throw new Error("it was not refused");
}

/** What a call throws itself: a rejection does not count. */
export function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not throw");
}

/** What an async call rejects with: throwing does not count, because who does not await it expects no throw. Outside a run, too. */
export async function rejection(call: () => Promise<unknown>): Promise<Error> {
  const promise = call();
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not reject");
}

/** A value where the types do not allow it. */
export function untyped<T>(value: unknown): T {
  return value as T;
}
