import type { AnyIterable } from "../channels/source.js";
import type { CancelScope } from "../kernel/scope.js";

/**
 * Where items come from: an iterable, or a function that makes one, an async generator function for example. The function receives the scope in which the
 * items are read: where no scope is ambient, that is how a source can be cancelled while it waits.
 */
export type ItemSource<T> = AnyIterable<T> | ((scope: CancelScope) => AnyIterable<T>);

declare const advice: unique symbol;

/** In a message of the compiler: why promises are no items. */
export interface RunningAlready {
  readonly [advice]: "a promise runs already, and cannot be owned: pass what it is made from, and make it in the function";
}

/** Refuses items that are promises; nothing else. */
export type NoPromises<T> = 0 extends 1 & T
  ? unknown
  : [Extract<T, PromiseLike<unknown>>] extends [never]
    ? unknown
    : ItemSource<RunningAlready>;

/** What is done with an item. It receives the scope of the task that it becomes, and the number of the item, from 0. */
export type ItemFunction<T, R> = (item: T, scope: CancelScope, index: number) => R | PromiseLike<R>;
