/** Stands in for Node's, with as much of it as the tests use. */
export class EventEmitter {
  readonly #listeners = new Map<unknown, Listener[]>();

  on(name: unknown, listener: Listener): this {
    this.#listeners.set(name, [...this.listeners(name), listener]);
    return this;
  }

  addListener(name: unknown, listener: Listener): this {
    return this.on(name, listener);
  }

  once(name: unknown, listener: Listener): this {
    const once = (...args: unknown[]) => {
      this.off(name, once);
      listener.apply(this, args);
    };
    return this.on(name, once);
  }

  off(name: unknown, listener: Listener): this {
    const left = [...this.listeners(name)];
    const at = left.lastIndexOf(listener);
    if (at >= 0) left.splice(at, 1);
    if (left.length > 0) this.#listeners.set(name, left);
    else this.#listeners.delete(name);
    return this;
  }

  removeListener(name: unknown, listener: Listener): this {
    return this.off(name, listener);
  }

  removeAllListeners(name: unknown): this {
    this.#listeners.delete(name);
    return this;
  }

  emit(name: unknown, ...args: unknown[]): boolean {
    const listeners = this.listeners(name);
    if (name === "error" && listeners.length === 0) throw args[0];
    for (const listener of listeners) listener.apply(this, args);
    return listeners.length > 0;
  }

  listeners(name: unknown): readonly Listener[] {
    return this.#listeners.get(name) ?? [];
  }

  listenerCount(name: unknown): number {
    return this.listeners(name).length;
  }

  eventNames(): unknown[] {
    return [...this.#listeners.keys()];
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever an event has
type Listener = (...args: any[]) => unknown;

export default EventEmitter;

/** As in Node, for listeners that were added after this module was loaded. */
export function getEventListeners(target: EventTarget | EventEmitter, type: string): readonly unknown[] {
  if (target instanceof EventEmitter) return target.listeners(type);
  return [...(listenersOf.get(target)?.get(type) ?? [])];
}

export function getMaxListeners(): number {
  return 0;
}

export function setMaxListeners(): void {}

const listenersOf = new WeakMap<EventTarget, Map<string, Set<unknown>>>();
const { addEventListener, removeEventListener } = EventTarget.prototype;

EventTarget.prototype.addEventListener = function (this: EventTarget | undefined, type, listener, options) {
  const target = this ?? globalThis;
  const of = listenersOf.get(target as EventTarget) ?? new Map<string, Set<unknown>>();
  listenersOf.set(target as EventTarget, of);
  const listeners = of.get(type) ?? new Set();
  of.set(type, listeners);
  if (listener !== null && listener !== undefined && !listeners.has(listener)) {
    listeners.add(listener);
    const { once = false, signal } = typeof options === "object" ? options : {};
    if (once) addEventListener.call(target, type, () => listeners.delete(listener), { once });
    if (signal) addEventListener.call(signal, "abort", () => listeners.delete(listener), { once: true });
  }
  addEventListener.call(target, type, listener, options);
};

EventTarget.prototype.removeEventListener = function (this: EventTarget | undefined, type, listener, options) {
  const target = this ?? globalThis;
  listenersOf
    .get(target as EventTarget)
    ?.get(type)
    ?.delete(listener);
  removeEventListener.call(target, type, listener, options);
};

/** They are about Node: what needs them is skipped. */
export function on(): never {
  throw new Error("browsers have no node:events");
}
export const once: typeof on = on;
