import { operate } from "../kernel/lookup.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { requireFunction } from "../kernel/validate.js";
import type { ItemFunction, ItemSource, NoPromises } from "./item-source.js";
import { concurrencyOf, type MapOptions } from "./map-options.js";
import { Mapping } from "./mapping.js";
import { whereOf } from "./options.js";

/**
 * Calls `fn` for every item, for at most `concurrency` of them at a time, and resolves when all have ended.
 *
 * In everything else it is as `map`: items are taken in order, when a place is free; the first failure cancels the others and the source, and it settles when all
 * have ended. Except that nothing is kept: the source may be endless. An item that is cancelled by its own scope is skipped.
 *
 * Pitfall: without `concurrency` all items are begun at once, so an endless source needs one.
 *
 * Source: p-map, for its effects; StreamExt::for_each_concurrent of Rust's futures.
 *
 * @throws UsageError if an item is a promise, or `fn` is no function; RangeError and TypeError for a wrong `concurrency`
 * @example
 * await forEach(receive, (job, scope) => handle(job, scope), { concurrency: 8 });
 */
export function forEach<T>(
  items: ItemSource<T> & NoPromises<T>,
  fn: ItemFunction<T, unknown>,
  options?: MapOptions,
  scope?: Cancellable,
): Promise<void> {
  return operate(whereOf(scope, options), forEachIn<T>, { items, fn, options });
}

interface Request<T> {
  readonly items: ItemSource<T>;
  readonly fn: ItemFunction<T, unknown>;
  readonly options: MapOptions | undefined;
}

function forEachIn<T>(scope: CancelScope, { items, fn, options }: Request<T>): Promise<void> {
  requireFunction(fn, "forEach()");
  return new EachItem("forEach", items, fn, concurrencyOf(options, "forEach()")).runIn(scope);
}

class EachItem extends Mapping<void> {
  override done(): void {}

  protected override gaveUp(): void {}

  override result(): void {}
}
