import { expect } from "vitest";

/** Something that may be thrown. `verify` asserts that nothing has changed it since it was made. */
export interface Specimen {
  readonly name: string;
  readonly make: () => { readonly value: unknown; readonly verify: () => void };
}

/** An object as it is now: its prototype, and its own properties with all that describes them, however deep. */
function snapshot(value: unknown, seen = new Set<unknown>()): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return value;
  seen.add(value);
  const properties = Object.getOwnPropertyDescriptors(value);
  return {
    prototype: Object.getPrototypeOf(value) as unknown,
    isExtensible: Object.isExtensible(value),
    keys: Reflect.ownKeys(properties),
    properties: Reflect.ownKeys(properties).map((key) => {
      const descriptor = Reflect.get(properties, key) as PropertyDescriptor;
      return { ...descriptor, value: snapshot(descriptor.value, seen) };
    }),
  };
}

function primitive(value: unknown): Specimen {
  return {
    name: typeof value === "symbol" ? "a symbol" : `the ${typeof value} ${String(value)}`,
    make: () => ({ value, verify: () => {} }),
  };
}

function object(name: string, build: () => object): Specimen {
  return {
    name,
    make: () => {
      const value = build();
      const before = snapshot(value);
      return { value, verify: () => expect(snapshot(value)).toEqual(before) };
    },
  };
}

const fail = (): never => {
  throw new Error("do not look at it");
};

function withGetters(target: object): object {
  // The stack first: to replace it, V8 makes it, out of the name and the message.
  for (const key of [
    "stack",
    "name",
    "message",
    "cause",
    "errors",
    "code",
    "constructor",
    "error",
    "suppressed",
    "toString",
    "__CANCEL__",
  ]) {
    Object.defineProperty(target, key, { get: fail, configurable: true, enumerable: true });
  }
  return target;
}

const CHANGES = ["set", "defineProperty", "deleteProperty", "setPrototypeOf", "preventExtensions"] as const;

/** A proxy that lets itself be looked at, and remembers who changes it. */
function watched(target: object): { value: object; verify: () => void } {
  const changes: string[] = [];
  const handler: ProxyHandler<object> = {};
  for (const trap of CHANGES) {
    handler[trap] = (...given: unknown[]) => {
      changes.push(trap);
      return Reflect.apply(Reflect[trap] as (...given: unknown[]) => boolean, Reflect, given);
    };
  }
  return { value: new Proxy(target, handler), verify: () => expect(changes).toEqual([]) };
}

/** A proxy of which nothing at all can be seen. */
function closed(target: object): object {
  const traps = Reflect.ownKeys(Reflect).filter((key) => typeof key === "string");
  return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, fail])));
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error("revoked"), {});
  revoke();
  return proxy;
}

const opaque = (name: string, build: () => object): Specimen => ({ name, make: () => ({ value: build(), verify: () => {} }) });

class Custom extends Error {
  readonly #secret = 5;
  details = { nested: [1, { two: 2 }] };

  get secret(): number {
    return this.#secret;
  }
}

export const SPECIMENS: readonly Specimen[] = [
  ...[undefined, null, 0, Number.NaN, "", "text", false, true, 5n, Symbol("thrown")].map(primitive),
  object("an error", () => new Error("plain", { cause: new Error("its cause") })),
  object("an error of a class of its own", () => new Custom("custom")),
  object("a frozen error", () => Object.freeze(new Error("frozen"))),
  object("a sealed error without a stack", () => {
    const error = new Error("sealed");
    delete error.stack;
    return Object.seal(error);
  }),
  object("an aggregate error", () => new AggregateError([new Error("first"), Object.freeze(new Error("second"))], "several")),
  object("an aggregate error that holds itself", () => {
    const error = new AggregateError([], "circular");
    error.errors.push(error, new Error("other"));
    return error;
  }),
  object("an error that is its own cause", () => {
    const error: Error & { cause?: unknown } = new Error("circular");
    error.cause = error;
    return error;
  }),
  object("a DOMException", () => new DOMException("no", "NotFoundError")),
  object("a frozen object", () => Object.freeze({ code: 5 })),
  object("an object without a prototype", () => Object.assign(Object.create(null) as object, { a: 1 })),
  object("an array", () => [1, 2, 3]),
  object("a function", () => () => "called"),
  object("a class", () => class Thrown {}),
  // biome-ignore lint/suspicious/noThenProperty: what is thrown is never unwrapped.
  object("a thenable", () => ({ then: fail })),
  object("a promise", () => Promise.resolve(5)),
  object("an error whose getters throw", () => withGetters(new Error("getters"))),
  object("an object whose getters throw", () => withGetters({})),
  { name: "an error that is watched", make: () => watched(new Error("watched")) },
  { name: "an aggregate error that is watched", make: () => watched(new AggregateError([new Error("inside")], "watched")) },
  opaque("a proxy of an error, whose traps all throw", () => closed(new Error("closed"))),
  opaque("a proxy of a function, whose traps all throw", () => closed(() => {})),
  opaque("a revoked proxy", revoked),
];
