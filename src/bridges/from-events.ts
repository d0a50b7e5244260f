import { scopeOf } from "../kernel/lookup.js";
import type { Cancellable } from "../kernel/types.js";
import { EventBuffer, type OnOverflow } from "./event-buffer.js";
import { type EventOptions, failuresOf, isWanted, namesOf, requireEventOptions, requireName } from "./event-options.js";
import { type EmitterLike, type EventName, type EventOf, type EventTargetLike, eventOf, failureOf, sourceOf } from "./event-source.js";
import { EventStream } from "./event-stream.js";

export interface EventsOptions<E> extends EventOptions<E> {
  /** How many events may wait to be taken. Default 1,000. */
  readonly capacity?: number | undefined;
  /** What becomes of an event when there is no room for it. Nothing can make a source wait. Default `"fail"`: the iteration throws `OverflowError`. */
  readonly onOverflow?: OnOverflow | undefined;
  /** Events that end the iteration, `"end"` or `"close"` for example. */
  readonly endOn?: EventName | readonly EventName[] | undefined;
}

/**
 * The events of an `EventEmitter`, of an `EventTarget`, or of anything that has their methods, to be iterated or received: each the arguments of an emitter's
 * event, as an array, or the event object. In the order in which they came; each goes to one receiver.
 *
 * It listens from the call on, so nothing is missed between two turns of the loop: what comes meanwhile waits, up to `capacity`, and `onOverflow` says what is done
 * with what is too much. However the loop is left, by `break`, by a failure, by its cancellation, or by the end of the scope that `fromEvents` was called in:
 * the listeners are removed then. Nothing happens to the source: whatever sends the events goes on. Each turn of the loop is a checkpoint.
 *
 * An `"error"` event of an emitter, and each event that `failOn` names, ends the loop by being thrown there, after what came before has been taken.
 *
 * Pitfall: what is listened to and never read is kept, up to `capacity`. Close it, best with `using` or by a loop.
 *
 * Source: node:events.on.
 *
 * @throws MissingScopeError if there is no scope; TypeError if `target` has no events; RangeError if `capacity` is no whole number from 1 on
 * @throws OverflowError, where one receives, if there was no room for an event
 * @example
 * for await (const [line] of fromEvents<[line: string]>(lines, "line", { endOn: "close" })) await handle(line);
 *
 * @example
 * for await (const message of fromEvents(socket, "message", { endOn: "close", failOn: "error", capacity: 10, onOverflow: "dropOldest" })) {
 *   await draw(message.data);
 * }
 *
 * @example
 * const chosen = await select({ message: messages, stop: stopping, late: timeout(5_000) });
 */
export function fromEvents<A extends unknown[] = unknown[]>(
  target: EmitterLike,
  name: EventName,
  options?: EventsOptions<NoInfer<A>>,
  scope?: Cancellable,
): EventStream<A>;
export function fromEvents<T extends EventTargetLike, N extends string>(
  target: T,
  name: N,
  options?: EventsOptions<EventOf<T, N>>,
  scope?: Cancellable,
): EventStream<EventOf<T, N>>;
export function fromEvents<E>(target: EventTargetLike, name: string, options?: EventsOptions<E>, scope?: Cancellable): EventStream<E>;
export function fromEvents(
  target: EmitterLike | EventTargetLike,
  name: EventName,
  options: EventsOptions<never> = {},
  scope?: Cancellable,
): unknown {
  requireName(name, CALLER);
  requireEventOptions(options, CALLER);
  const source = sourceOf(target, CALLER);
  const { capacity = 1_000, onOverflow = "fail" } = options;
  const buffer = new EventBuffer<unknown>(capacity, onOverflow, CALLER);
  const failures = failuresOf(source, name, options, CALLER);
  const ends = namesOf(options.endOn, CALLER);
  const stream = new EventStream(scopeOf(scope), scope, source, buffer);
  const { _listeners: listeners } = stream;
  try {
    listeners.on(name, (args) => {
      try {
        const event = eventOf(source, args);
        if (isWanted(event as never, options, CALLER)) stream._push(event);
      } catch (error) {
        stream._endWith({ error });
      }
    });
    for (const each of failures) listeners.on(each, (args) => stream._endWith({ error: failureOf(source, each, args) }));
    for (const each of ends) listeners.on(each, () => stream._endWith("done"));
  } catch (error) {
    stream.close();
    throw error;
  }
  return stream;
}

const CALLER = "fromEvents()";
