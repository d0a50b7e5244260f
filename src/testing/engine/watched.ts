import type { Trace } from "./trace.js";

/**
 * An observer of an object: tells the trace what the running step reads and writes through it, and through the plain objects and collections in it. Methods run
 * on the object itself, so that those with private fields work; a call counts as a write of all of it.
 */
export function watched<T extends object>(name: string, value: T, trace: Trace): T {
  const label = (key: PropertyKey) => (Array.isArray(value) || typeof key === "symbol" ? name : `${name}.${String(key)}`);
  const inner = new WeakMap<object, object>();
  const innerOf = (key: PropertyKey, member: object): object => {
    let known = inner.get(member);
    if (known === undefined) {
      known = watched(label(key), member, trace);
      inner.set(member, known);
    }
    return known;
  };
  return new Proxy(value, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") {
        trace.currentNotes.reads.add(label(key));
        return isState(member) && !isFixed(target, key) ? innerOf(key, member) : member;
      }
      return (...args: unknown[]) => {
        trace.currentNotes.writes.add(name);
        return Reflect.apply(member, target, args) as unknown;
      };
    },
    set(target, key, member) {
      trace.currentNotes.writes.add(label(key));
      return Reflect.set(target, key, member, target);
    },
    defineProperty(target, key, descriptor) {
      trace.currentNotes.writes.add(label(key));
      return Reflect.defineProperty(target, key, descriptor);
    },
    has(target, key) {
      trace.currentNotes.reads.add(label(key));
      return Reflect.has(target, key);
    },
    getOwnPropertyDescriptor(target, key) {
      trace.currentNotes.reads.add(label(key));
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
    ownKeys(target) {
      trace.currentNotes.reads.add(name);
      return Reflect.ownKeys(target);
    },
    deleteProperty(target, key) {
      trace.currentNotes.writes.add(label(key));
      return Reflect.deleteProperty(target, key);
    },
  });
}

/** What is state, and no thing with an identity of its own: a plain object, an array, a `Map` or a `Set`. */
function isState(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A proxy has to show such a member as it is. */
function isFixed(target: object, key: PropertyKey): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
  return descriptor !== undefined && descriptor.configurable === false && descriptor.writable === false;
}
