import { type Parked, park } from "../kernel/park.js";
import type { Cancellable } from "../kernel/types.js";
import { type EventOptions, failuresOf, isWanted, requireEventOptions, requireName } from "./event-options.js";
import { type EmitterLike, type EventName, type EventOf, type EventTargetLike, eventOf, failureOf, sourceOf } from "./event-source.js";
import { Listeners } from "./listeners.js";

/**
 * Waits for one event of an `EventEmitter`, of an `EventTarget`, or of anything that has their methods. Resolves to the arguments of an emitter's event, as an
 * array, or to the event object. A full checkpoint.
 *
 * It listens from the call on, and has removed its listeners when it settles or is cancelled. Nothing happens to the source: whatever sends
 * the events goes on. As long as it waits, an `"error"` event of an emitter is thrown here, and so is each event that `failOn` names.
 *
 * Pitfall: an event that comes before the call, or between two calls, is missed. For more than one there is `fromEvents`.
 *
 * Source: node:events.once; TC39's/WICG's Observable `when(name).first()`.
 *
 * @throws TypeError if `target` has no events
 * @example const [code] = await fromEvent<[code: number]>(child, "exit");
 * @example const message = await fromEvent(socket, "message", { filter: (event) => event.data !== "ping", failOn: ["error", "close"] });
 */
export function fromEvent<A extends unknown[] = unknown[]>(
  target: EmitterLike,
  name: EventName,
  options?: EventOptions<NoInfer<A>>,
  scope?: Cancellable,
): Promise<A>;
export function fromEvent<T extends EventTargetLike, N extends string>(
  target: T,
  name: N,
  options?: EventOptions<EventOf<T, N>>,
  scope?: Cancellable,
): Promise<EventOf<T, N>>;
export function fromEvent<E>(target: EventTargetLike, name: string, options?: EventOptions<E>, scope?: Cancellable): Promise<E>;
export function fromEvent(
  target: EmitterLike | EventTargetLike,
  name: EventName,
  options: EventOptions<never> = {},
  scope?: Cancellable,
): Promise<unknown> {
  try {
    requireName(name, CALLER);
    requireEventOptions(options, CALLER);
    const source = sourceOf(target, CALLER);
    const failures = failuresOf(source, name, options, CALLER);
    return park<unknown>((parked) => listen(parked), { op: `event ${String(name)}`, on: target, foreign: true }, scope);

    function listen(parked: Parked<unknown>): () => void {
      const listeners = new Listeners(source);
      try {
        listeners.on(name, (args) => {
          try {
            const event = eventOf(source, args);
            if (!isWanted(event as never, options, CALLER)) return;
            parked.wake(event);
          } catch (error) {
            parked.fail(error);
          }
          listeners.removeAll();
        });
        for (const each of failures) {
          listeners.on(each, (args) => {
            parked.fail(failureOf(source, each, args));
            listeners.removeAll();
          });
        }
      } catch (error) {
        listeners.removeAll();
        throw error;
      }
      return () => listeners.removeAll();
    }
  } catch (error) {
    return Promise.reject(error);
  }
}

const CALLER = "fromEvent()";
