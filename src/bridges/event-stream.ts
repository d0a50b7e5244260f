/// <reference lib="esnext.disposable" preserve="true" />

import { ambientScope } from "#context";
import type { ValuesOptions } from "../channels/memory-receive-channel.js";
import { END, type Item } from "../channels/next-item.js";
import { Receivable } from "../channels/receivable.js";
import { ClosedResourceError, EndOfChannel } from "../kernel/errors.js";
import { TEMPORARY } from "../kernel/flags.js";
import { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { type Queued, WaitQueue } from "../kernel/wait-queue.js";
import type { EventBuffer } from "./event-buffer.js";
import type { Source } from "./event-source.js";
import type { Listeners } from "./listeners.js";
import { Listening } from "./listening.js";

/** How the events end, once what is in the buffer has been taken. */
type EndOfEvents = "done" | { readonly error: unknown };

/**
 * The events of a source, as from the receive end of a channel; made by `fromEvents`. Those that nobody has taken yet are kept, up to the capacity.
 *
 * Iterating takes events until the last one. Leaving the loop early, by `break`, `return`, a throw or a cancellation, closes it. Once the events have failed,
 * every `receive` throws that very error, after what came before it has been taken.
 *
 * It listens in the scope in which it was made: when that is cancelled or left, it stops. Then `ClosedResourceError` says that no more events come.
 *
 * Source: trio.abc.ReceiveChannel.
 */
export class EventStream<out E> extends Receivable<E> implements AsyncIterable<E>, Disposable {
  /** @internal */
  readonly _receivers: WaitQueue<Item<E>>;
  readonly #where: Cancellable | undefined;
  readonly #isForeign: boolean;
  readonly #buffer: EventBuffer<unknown>;
  readonly #listening: Listening;
  /** Set once no event comes any more. */
  #end: EndOfEvents | undefined = undefined;
  #isClosed = false;

  /** @internal */
  constructor(scope: CancelScope, where: Cancellable | undefined, source: Source, buffer: EventBuffer<unknown>) {
    super();
    this.#where = where;
    this.#isForeign = (scope._flags & TEMPORARY) !== 0;
    this.#buffer = buffer;
    this.#listening = new Listening(scope, source, (reason) => {
      this.#end ??= { error: closed("fromEvents() was called in a scope that has been cancelled or left meanwhile", reason) };
      this.#listening.close();
      // Those who wait may be about to be cancelled for the same cause: they are to find out about that first.
      void Promise.resolve().then(() => this.#tell());
    });
    this._receivers = new EventQueue(this, this.#listening);
    this.#listening.begin();
  }

  /** How many events have been dropped, because there was no room for them. */
  get dropped(): number {
    return this.#buffer.dropped;
  }

  /** By default the ambient scope; where there is none, and under a foreign signal, what was given to `fromEvents`. @internal */
  override _whereOf(options: ValuesOptions | undefined): Cancellable | undefined {
    const isGiven = options instanceof CancelScope || options?.signal !== undefined;
    const isAmbient = ambientScope() !== undefined && !this.#isForeign;
    return isGiven || isAmbient ? options : this.#where;
  }

  /** Stops listening, and drops what is left; idempotent, no checkpoint. Calls that wait on it throw `ClosedResourceError`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#buffer.clear();
    this.#end = { error: closed("it was closed by its own side", undefined) };
    this.#listening.close();
    this.#tell();
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @internal */
  get _listeners(): Listeners {
    return this.#listening.listeners;
  }

  /** An event has come. Whoever waits longest gets it. @internal */
  _push(event: unknown): void {
    const receiver = this._receivers.first;
    if (receiver !== undefined) {
      receiver.wake({ done: false, value: event as E });
      return;
    }
    const overflow = this.#buffer.push(event);
    if (overflow !== undefined) this._endWith({ error: overflow });
  }

  /** No event comes any more. @internal */
  _endWith(end: EndOfEvents): void {
    this.#end ??= end;
    this.#listening.close();
    this.#tell();
  }

  /** @internal */
  _isReady(): boolean {
    return this.#buffer.size > 0 || this.#end !== undefined;
  }

  /** @internal */
  _take(): Item<E> {
    if (this.#buffer.size > 0) return { done: false, value: this.#buffer.shift() as E };
    if (this.#end === "done") return END;
    throw (this.#end as { readonly error: unknown }).error;
  }

  /** @internal */
  _asked(): void {}

  /** @internal */
  _endOfItems(): EndOfChannel {
    return new EndOfChannel("the events have come to their end");
  }

  /** No wait: no listener is left when it is closed. @internal */
  _leave(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Tells those who wait, in order of arrival. */
  #tell(): void {
    if (this.#end === "done") this._receivers.wakeAll(END);
    else this._receivers.failAll(this.#end?.error);
  }
}

/** Whoever waits for an event. It comes from outside of the library, which a simulation is to know. */
class EventQueue<E> extends WaitQueue<Item<E>> {
  readonly #listening: Listening;

  constructor(stream: EventStream<E>, listening: Listening) {
    super("receive", stream);
    this.#listening = listening;
  }

  override _append(waiter: Queued<Item<E>>): void {
    super._append(waiter);
    this.#listening.isAwaited = true;
  }

  override _remove(waiter: Queued<Item<E>>): void {
    super._remove(waiter);
    this.#listening.isAwaited = this.size > 0;
  }
}

function closed(why: string, cause: unknown): ClosedResourceError {
  return new ClosedResourceError(`no more events can be received: ${why}`, cause === undefined ? undefined : { cause });
}
