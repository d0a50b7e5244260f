import { homeOf } from "../channels/home.js";
import { describe } from "../kernel/describe.js";
import type { Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import type { ItemFunction, ItemSource, NoPromises } from "./item-source.js";
import { MappedStream } from "./mapped-stream.js";
import { requireBound, whereOf } from "./options.js";
import { Outbox } from "./outbox.js";

export interface MapStreamOptions extends Cancellable {
  /** How many items are worked on at a time. */
  readonly concurrency: number;
  /** `"input"`: results in the order of the items. `"completed"`: each as soon as it is there. Default `"input"`. */
  readonly order?: "input" | "completed" | undefined;
  /**
   * How many items may be on their way at a time: being read, being worked on, or done and not handed out yet. Not below `concurrency`, which is the default.
   * In the order of the items, a larger one keeps a slow item from holding up those behind it.
   */
  readonly window?: number | undefined;
}

/**
 * As `map`, with results that are handed out as one asks for them: in the order of the items, or each as soon as it is there.
 *
 * Nothing is read before the first result is asked for. From then on at most `concurrency` items are worked on at a time, and at most `window` are on their way:
 * whoever takes his time holds up the source, and nothing piles up.
 *
 * It belongs to the scope in which it was made. Leaving the loop by `break`, `return`, a throw or a cancellation, `close()`, and leaving that scope cancel the
 * items under way and close the source, and wait for both. Results that were not handed out are disposed where they can be.
 *
 * The first failure of an item or of the source cancels the rest, and is thrown to whoever asks for the next result, after everything has ended: as it is,
 * or several in an `ErrorGroup`. Results that have not been handed out by then are lost. What goes wrong while it is being closed rejects the loop, or
 * `close()`; where nobody can hear that, because the loop was left by a throw, it is a failure of the scope that the stream belongs to.
 *
 * Pitfall: in the order of the items a slow one holds up those behind it, because the window is full. A larger `window` gives it time, `order: "completed"` does
 * without.
 * Pitfall: whoever takes results by `receive()` has to `close()` it in the end, or what is under way waits for the end of the scope.
 *
 * Source: p-map's pMapIterable; Stream.mapEffect of Effect.
 *
 * @throws TypeError, RangeError for wrong options; UsageError if `fn` is no function; MissingScopeError, ScopeEndedError: all at the call
 * @example
 * for await (const page of mapStream(urls, (url, scope) => download(url, scope), { concurrency: 8, order: "completed" })) {
 *   await save(page);
 * }
 */
export function mapStream<T, R>(
  items: ItemSource<T> & NoPromises<T>,
  fn: ItemFunction<T, R>,
  options: MapStreamOptions,
  scope?: Cancellable,
): MappedStream<Awaited<R>> {
  requireFunction(fn, "mapStream()");
  const { concurrency, order = "input", window = concurrency } = requireOptions(options);
  requireBound(concurrency, "the concurrency of mapStream()");
  requireBound(window, "the window of mapStream()");
  if (window < concurrency)
    throw new RangeError(`the window of mapStream() is not below its concurrency, which is ${concurrency}, not ${window}`);
  if (order !== "input" && order !== "completed")
    throw new TypeError(`the order of mapStream() is "input" or "completed", not ${describe(order)}`);
  const outbox = new Outbox<Awaited<R>>(order === "input");
  return new MappedStream({ items, fn, concurrency, window, outbox }, homeOf(whereOf(scope, options), "mapStream()"));
}

function requireOptions(options: MapStreamOptions): MapStreamOptions {
  if (typeof options === "object" && options !== null && options.concurrency !== undefined) return options;
  throw new TypeError(
    "mapStream() takes { concurrency }: how many items are worked on at a time, and, by default, how many results are kept",
  );
}
