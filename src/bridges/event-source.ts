import { report } from "../kernel/deliver.js";
import { describe } from "../kernel/describe.js";

/** What has events as Node's `EventEmitter` has them. Recognised by these methods, so that nothing of Node is needed. */
export type EmitterLike = { on(name: never, listener: never): unknown } & (
  | { off(name: never, listener: never): unknown }
  | { removeListener(name: never, listener: never): unknown }
);

/** What has events as the web's `EventTarget` has them. */
export interface EventTargetLike {
  addEventListener(name: never, listener: never): unknown;
  removeEventListener(name: never, listener: never): unknown;
}

export type EventName = string | symbol;

/** The class of event that an `EventTarget` sends under a name: as its `on<name>` property says, where it has one. */
export type EventOf<T, N> = T extends { readonly [K in N & string as `on${K}`]: infer Listener } ? ArgumentOf<Listener> : Event;

type ArgumentOf<Listener> =
  Extract<Listener, (...args: never[]) => unknown> extends (event: infer E) => unknown ? (unknown extends E ? Event : E) : Event;

type Listener = (...args: unknown[]) => void;
type Method = (name: EventName, listener: Listener) => unknown;

/** A target of events, looked at once. Of those that are both, the side of the emitter is taken, as in Node. */
export interface Source {
  readonly isEmitter: boolean;
  /** Returns how to stop. */
  listen(name: EventName, listener: Listener): () => void;
}

export function sourceOf(target: unknown, caller: string): Source {
  const source = Object(target) as Readonly<Record<string, unknown>>;
  const isEmitter = typeof source["on"] === "function";
  const add = isEmitter ? source["on"] : source["addEventListener"];
  const remove = isEmitter ? (source["off"] ?? source["removeListener"]) : source["removeEventListener"];
  if (typeof add !== "function" || typeof remove !== "function") {
    throw new TypeError(
      `${caller} takes something with on() and off(), or with addEventListener() and removeEventListener(), not ${describe(target)}`,
    );
  }
  return {
    isEmitter,
    listen(name, listener) {
      (add as Method).call(target, name, listener);
      return () => {
        try {
          (remove as Method).call(target, name, listener);
        } catch (error) {
          report(error);
        }
      };
    },
  };
}

/** What an event brings: the arguments of an emitter's, or the event object of a target's. */
export function eventOf(source: Source, args: unknown[]): unknown {
  return source.isEmitter ? args : args[0];
}

/** The error that an event stands for which is a failure. */
export function failureOf(source: Source, name: EventName, args: unknown[]): unknown {
  const [first] = args;
  if (source.isEmitter)
    return args.length > 0 ? first : new Error(`the event ${describe(name)} came, which is a failure, without an error`);
  return errorOf(first) ?? new Error(`the event ${describe(name)} came, which is a failure`, { cause: first });
}

function errorOf(event: unknown): unknown {
  try {
    return (Object(event) as { readonly error?: unknown }).error;
  } catch {
    return undefined;
  }
}
