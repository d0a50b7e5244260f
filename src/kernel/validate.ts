import { describe } from "./describe.js";
import { UsageError } from "./errors.js";

/** A number of milliseconds: not negative, `Infinity` for no limit. */
export function requireDuration(ms: number, what: string): number {
  if (typeof ms !== "number") throw new TypeError(`${what} is a number of milliseconds, not ${describe(ms)}`);
  if (!(ms >= 0)) throw new RangeError(`${what} is a number of milliseconds that is not negative (Infinity for no limit), not ${ms}`);
  return ms;
}

/** An instant of `now()`. Negative ones are legal: they have passed. */
export function requireInstant(at: number, what: string): number {
  if (typeof at !== "number") throw new TypeError(`${what} is an instant of now(), in milliseconds, not ${describe(at)}`);
  if (Number.isNaN(at)) throw new RangeError(`${what} is an instant of now(), in milliseconds, not NaN`);
  return at;
}

/** A function, and not the promise that a call of it makes. */
export function requireFunction<F>(body: F, what: string): F {
  if (typeof body === "function") return body;
  if (body !== null && typeof body === "object" && "then" in body) {
    throw new UsageError(
      `${what} takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()`,
    );
  }
  throw new UsageError(`${what} takes a function, not ${describe(body)}`);
}

/** What a predicate answers: a promise would always count as yes, and anything else is hardly meant. */
export function requireAnswer(answer: boolean, what: string): boolean {
  if (typeof answer === "boolean") return answer;
  throw new UsageError(`${what} returns true or false, at once, not ${describe(answer)}`);
}
