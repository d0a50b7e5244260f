import { dispose, isDisposable } from "../kernel/dispose.js";
import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import type { ItemFunction, ItemSource, NoPromises } from "./item-source.js";
import { concurrencyOf, type MapOptions } from "./map-options.js";
import { Mapping } from "./mapping.js";
import { whereOf } from "./options.js";

/**
 * Calls `fn` for every item, for at most `concurrency` of them at a time, and resolves to the results, in the order of the items.
 *
 * Each item is a task of its own: `fn` receives the item, the scope of that task, and the number of the item, from 0. What it leaves behind (operations that
 * it does not await, `defer`, `use`) has ended before that place is given to another item. The first failure cancels the others and the source. It settles only
 * when all of them have ended.
 *
 * Items are taken from the source in order, one at a time, and none before a place is free for it. However it ends, `return()` of an iterator that has not come to
 * its end is called and awaited. The source runs in a task beside those of the items. It may be a function, which receives the scope of that task: where no
 * scope is ambient, that is how a source can be cancelled while it waits.
 *
 * One failure rejects with that very error, several with an `ErrorGroup` in order of occurrence. If it rejects, results that can be disposed are. About
 * every 10 ms timers and I/O have their turn, also if no function ever waits.
 *
 * Pitfall: without `concurrency` all items are begun at once, as `Promise.all(items.map(fn))` does, so that a source without end never lets go.
 * Pitfall: a source that neither ends nor reacts to the cancellation of its task, nor to `return()`, holds up the end.
 *
 * Source: p-map. docs/combinators.md tells what is different.
 *
 * @throws UsageError if an item is a promise, which is running already and cannot be owned, or if `fn` is no function
 * @throws TaskCancelledError if an item was cancelled by its own scope, so that it has no result
 * @throws RangeError, TypeError for a wrong `concurrency`; TypeError if `items` cannot be iterated
 * @example
 * const pages = await map(urls, (url, scope) => download(url, scope), { concurrency: 8 });
 * const sizes = await map(urls, fetch, { concurrency: 8 }); // the scope is passed on as the options
 * @example
 * await map(urls.map((url) => fetch(url)), (response) => response.text()); // Wrong, and refused: all of them run already.
 */
export function map<T, R>(
  items: ItemSource<T> & NoPromises<T>,
  fn: ItemFunction<T, R>,
  options?: MapOptions,
  scope?: Cancellable,
): Promise<Awaited<R>[]> {
  return operate(whereOf(scope, options), mapIn<T, R>, { items, fn, options });
}

interface Request<T, R> {
  readonly items: ItemSource<T>;
  readonly fn: ItemFunction<T, R>;
  readonly options: MapOptions | undefined;
}

function mapIn<T, R>(scope: CancelScope, { items, fn, options }: Request<T, R>): Promise<Awaited<R>[]> {
  requireFunction(fn, "map()");
  const concurrency = concurrencyOf(options, "map()");
  return new Mapper<Awaited<R>>("map", items, fn, concurrency).runIn(scope);
}

class Mapper<R> extends Mapping<R[]> {
  /** In the order of the items; `undefined` for those that are being worked on. */
  readonly #results: R[] = new Array(this.array?.length ?? 0);
  #isScanned = false;

  override done(index: number, value: unknown): void {
    this.#results[index] = value as R;
  }

  protected override gaveUp(item: Task): void {
    this.nursery._failed(item._cancelledError());
  }

  override result(): R[] {
    return this.#results;
  }

  override get hasLost(): boolean {
    return !this.#isScanned && this.isForfeited;
  }

  override disposeLost(): void {
    if (!this.hasLost) return;
    this.#isScanned = true;
    for (const result of new Set(this.#results)) if (isDisposable(result)) this.nursery.defer(() => dispose(result));
  }
}
