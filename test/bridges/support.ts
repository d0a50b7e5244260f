import type { EventEmitter } from "node:events";

/** A promise, and its two ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let ends: Omit<Deferred<T>, "promise"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject };
  });
  return { promise, ...(ends as Omit<Deferred<T>, "promise">) };
}

/** An `EventTarget` that knows how many listeners it has. */
export class CountedTarget extends EventTarget {
  readonly #listeners = new Map<string, Set<unknown>>();

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, each) => sum + each.size, 0);
  }

  override addEventListener(...given: Parameters<EventTarget["addEventListener"]>): void {
    const known = this.#listeners.get(given[0]) ?? new Set();
    this.#listeners.set(given[0], known.add(given[1]));
    super.addEventListener(...given);
  }

  override removeEventListener(...given: Parameters<EventTarget["removeEventListener"]>): void {
    this.#listeners.get(given[0])?.delete(given[1]);
    super.removeEventListener(...given);
  }

  send(name: string, more: object = {}): Event {
    const event = Object.assign(new Event(name), more);
    this.dispatchEvent(event);
    return event;
  }
}

/** How many listeners an emitter has, of all its events. */
export function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
}

/** Errors of which hardly anything can be asked. */
export function hostileErrors(): unknown[] {
  const throwing = {
    get() {
      throw new Error("hostile");
    },
    has() {
      throw new Error("hostile");
    },
    getPrototypeOf() {
      throw new Error("hostile");
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  class Getters extends Error {
    override get cause(): unknown {
      throw new Error("hostile");
    }
    override get name(): string {
      throw new Error("hostile");
    }
    override get message(): string {
      throw new Error("hostile");
    }
  }
  return [new Proxy({}, throwing), proxy, new Getters(), Object.create(null), Object.freeze(new Error("frozen")), undefined, null, 0, ""];
}
