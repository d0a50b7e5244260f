import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import { Generated } from "./generated.js";
import { homeOf } from "./home.js";
import { isIterable } from "./is-iterable.js";
import type { AnyIterable } from "./source.js";

/**
 * Runs an async generator in a task of a nursery, and hands out what it yields: a generator that may open scopes and nurseries, and is always closed.
 *
 * `fn` receives the task, and everything in it runs there: its scopes, its ambient scope and its async context are its own, not those of whoever
 * receives. It is entered when the first item is asked for, and goes on when the next one is: nothing is computed ahead. Leaving the loop by `break`,
 * `return`, a throw or a cancellation cancels it and waits for its end before the loop is left; so does leaving the scope that `generate` was called in,
 * which it belongs to.
 *
 * Cancelled while it waits, the generator gets `Cancelled` from that wait. Cancelled at a `yield`, it goes to its `finally` blocks, in which
 * every checkpoint throws: clean up in a `shield`. An item that was yielded and not received is dropped.
 *
 * What it throws is thrown to whoever asked for the item, as it is. What goes wrong in its `finally` blocks while it is being closed rejects the loop, or
 * `close()`. The language drops that when the loop is left by a throw, so then, and when nobody was there to be told, it is a failure of the scope that
 * `generate` was called in, as that of a `defer` is; the same error counts once. To have the errors of both sides at one place, give them a
 * nursery of their own, as in the second example.
 *
 * Pitfall: catching what a `break` throws does not take it back from the scope. Where it is to be handled, use `await using`, or catch it in the generator.
 * Pitfall: a generator without this, and with a scope inside, is unsound: see docs/generators.md.
 *
 * Source: trio.as_safe_channel; PEP 533 and PEP 789.
 *
 * @param scope what it belongs to; by default the ambient scope
 * @throws UsageError if `fn` is no function; ScopeEndedError, MissingScopeError, TypeError for the scope
 * @example
 * async function* lines(url: string, task: Task) {
 *   const response = await fetch(url, task);
 *   yield* splitLines(response.body);
 * }
 * for await (const line of generate((task) => lines(url, task))) if (isLast(line)) break;
 * @example
 * await openNursery(async () => {
 *   for await (const line of generate((task) => lines(url, task))) await save(line);
 * }); // one error as it is; that of save() and that of a `finally` in lines() in an ErrorGroup
 */
export function generate<T>(fn: (task: Task) => AsyncIterable<T>, scope?: Cancellable): Generated<T>;
export function generate<T>(fn: (task: Task) => Iterable<T>, scope?: Cancellable): Generated<Awaited<T>>;
export function generate<T>(fn: (task: Task) => AnyIterable<T>, scope?: Cancellable): Generated<T> {
  if (isIterable(fn)) {
    throw new UsageError("generate() takes the function that makes a generator, not the generator: pass () => numbers(), not numbers()");
  }
  requireFunction(fn, "generate()");
  const input = {
    name: fn.name === "" ? "generator" : fn.name,
    open: (task: Task) => requireGenerator(fn(task)),
    itemOf: (item: unknown) => item as T,
  };
  return new Generated({ name: "generate", inputs: [input], capacity: 0, isShared: false }, homeOf(scope, "generate()"));
}

function requireGenerator<T>(made: AnyIterable<T>): AnyIterable<T> {
  if (isIterable(made)) return made;
  const isPromise = made !== null && typeof made === "object" && "then" in made;
  const what = isPromise ? "a promise, which an `async function` without the asterisk returns" : describe(made);
  throw new TypeError(`generate() takes an async generator function, as async function* () { ... }, and this one returned ${what}`);
}
