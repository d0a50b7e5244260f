import { describe } from "../kernel/describe.js";
import type { Cancellable } from "../kernel/types.js";
import { requireCount } from "../sync/require-count.js";
import { Generated } from "./generated.js";
import { homeOf } from "./home.js";
import { isIterable } from "./is-iterable.js";
import type { Input } from "./production.js";
import type { AnyIterable } from "./source.js";

/** What iterating over a source gives. */
export type ItemOf<S> = S extends AsyncIterable<infer T> ? T : S extends Iterable<infer T> ? Awaited<T> : never;

/** An item, and the name of the source that it came from. The name tells TypeScript which item it is. */
export type NamedItemOf<R> = { [K in keyof R & string]: { readonly key: K; readonly value: ItemOf<R[K]> } }[keyof R & string];

export interface MergeOptions extends Cancellable {
  /** How many items may be made before they are asked for, besides one for each source. Default 0; `Infinity` for no bound. */
  readonly capacity?: number | undefined;
}

/**
 * Merges several iterables, asynchronous or not, into one: items as they come, those of one source in their order. It ends when all of them have.
 *
 * Nothing is asked of a source before an item is asked for; then every source that has nothing to do is asked for one. So of each source at most one
 * item is waiting to be received, and with `capacity` so many more. An item that was made and not received is dropped.
 *
 * Each source is read by a task of its own, in a nursery of the scope that `merge` was called in, which it belongs to. Leaving the loop by `break`,
 * `return`, a throw or a cancellation, `close()`, and leaving that scope close all sources: `return()` of each is called once, unless it has ended
 * by itself, and awaited. The first failure of a source closes the others and then rejects: as it is, or with an `ErrorGroup` if closing them
 * failed as well. A failure while it is being closed is kept as that of a `generate` is.
 *
 * Given an object instead of a list, it names each item after its source.
 *
 * Pitfall: a source that waits, and reacts neither to the cancellation of its task nor to `return()`, holds up the end. The iterator of a stream in which
 * nothing comes is one. Read a web stream through `fromReadableStream`, and tell a Node stream: `generate((task) => addAbortSignal(task.signal, stream))`.
 *
 * Source: merge of RxJS, StreamExt of Rust's futures, `stream.merge` of aiostream; Trio has none.
 *
 * @param options `capacity`, and the scope that it belongs to; by default the ambient one
 * @throws TypeError if a source is no iterable; RangeError for a wrong capacity; ScopeEndedError, MissingScopeError
 * @example
 * for await (const event of merge([clicks, keys, generate(ticks)])) render(event);
 * @example
 * for await (const { key, value } of merge({ jobs, signals })) {
 *   if (key === "signals") break;
 *   await work(value);
 * }
 */
export function merge<S extends AnyIterable<unknown>>(sources: Iterable<S>, options?: MergeOptions): Generated<ItemOf<S>>;
export function merge<R extends Readonly<Record<string, AnyIterable<unknown>>>>(
  sources: R,
  options?: MergeOptions,
): Generated<NamedItemOf<R>>;
export function merge<T>(sources: Sources, options?: MergeOptions): Generated<T> {
  const capacity = requireCount(options?.capacity ?? 0, "the capacity of merge()", true);
  const inputs = inputsOf(sources) as Input<T>[];
  return new Generated({ name: "merge", inputs, capacity, isShared: true }, homeOf(options, "merge()"));
}

type Sources = Iterable<AnyIterable<unknown>> | Readonly<Record<string, AnyIterable<unknown>>>;

function inputsOf(sources: Sources): Input<unknown>[] {
  if (sources === null || typeof sources !== "object" || Symbol.asyncIterator in sources) {
    throw new TypeError(`merge() takes a list of iterables, as [clicks, keys], or an object that names them, not ${describe(sources)}`);
  }
  if (Symbol.iterator in sources) return [...sources].map((source, i) => inputOf(source, `source#${i + 1}`, (item) => item));
  return Object.entries(sources).map(([key, source]) => inputOf(source, key, (value) => ({ key, value })));
}

function inputOf(source: AnyIterable<unknown>, name: string, itemOf: (item: unknown) => unknown): Input<unknown> {
  if (!isIterable(source)) throw new TypeError(`${name} of merge() is ${describe(source)}, which is no iterable`);
  return { name, open: () => source, itemOf };
}
