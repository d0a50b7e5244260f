/** One thing that a command did with the real object: a call of a method, or the reading of a property. */
export interface Call {
  readonly what: string;
  readonly isAsync: boolean;
  readonly failed: boolean;
  /** What came back, or was thrown. */
  readonly value: unknown;
}

/** A command does more with the recorded object than it did with the real one. */
export class OutOfCalls extends Error {
  override readonly name = "OutOfCalls";
}

/** The object, with what is done through it written down. Objects in its properties are wrapped in turn; what methods return is not. */
export function recorded<R extends object>(real: R, calls: Call[], path = ""): R {
  return new Proxy(real, {
    get(_, key) {
      const member: unknown = Reflect.get(real, key, real);
      if (typeof key === "symbol") return member;
      const what = `${path}${key}`;
      if (typeof member === "function")
        return (...args: unknown[]) => record(calls, what, () => Reflect.apply(member, real, args) as unknown);
      if (typeof member === "object" && member !== null) {
        calls.push({ what, isAsync: false, failed: false, value: NESTED });
        return recorded(member, calls, `${what}.`);
      }
      calls.push({ what, isAsync: false, failed: false, value: member });
      return member;
    },
    set: (_, key, value) => Reflect.set(real, key, value, real),
  });
}

/** Stands for the real object: gives what it gave, in the same order. */
export function played<R extends object>(calls: readonly Call[]): R {
  let at = 0;
  const next = (what: string): Call => {
    const call = calls[at++];
    if (call?.what !== what) throw new OutOfCalls(`${what} was not called`);
    return call;
  };
  const playing = (path: string): object =>
    new Proxy(
      {},
      {
        get(_, key) {
          if (typeof key === "symbol") return undefined;
          const what = `${path}${key}`;
          const upcoming = calls[at];
          if (upcoming?.what === what && upcoming.value === NESTED) {
            at++;
            return playing(`${what}.`);
          }
          if (upcoming?.what === what && !isCall(upcoming)) return next(what).value;
          return (..._args: unknown[]) => play(next(what));
        },
        set: () => true,
      },
    );
  return playing("") as R;
}

const NESTED: unique symbol = Symbol("an object in a property");
/** Calls of methods, apart from readings of properties. */
const methods = new WeakSet<Call>();

function isCall(call: Call): boolean {
  return methods.has(call);
}

function push(calls: Call[], call: Call): void {
  methods.add(call);
  calls.push(call);
}

function record(calls: Call[], what: string, act: () => unknown): unknown {
  let value: unknown;
  try {
    value = act();
  } catch (error) {
    push(calls, { what, isAsync: false, failed: true, value: error });
    throw error;
  }
  if (typeof value !== "object" || value === null || !("then" in value)) {
    push(calls, { what, isAsync: false, failed: false, value });
    return value;
  }
  return settled(calls, what, value as PromiseLike<unknown>);
}

async function settled(calls: Call[], what: string, promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    push(calls, { what, isAsync: true, failed: false, value });
    return value;
  } catch (error) {
    push(calls, { what, isAsync: true, failed: true, value: error });
    throw error;
  }
}

function play({ isAsync, failed, value }: Call): unknown {
  if (isAsync) return failed ? Promise.reject(value) : Promise.resolve(value);
  if (failed) throw value;
  return value;
}
