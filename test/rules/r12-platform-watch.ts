/** What of the platform was used while something ran. */
export interface Used {
  /** How many `AbortController`s were made. */
  readonly controllers: number;
  /** How often a listener was added to any signal, and removed from it. */
  readonly added: number;
  readonly removed: number;
  /** How many timers of the platform were armed, and how many of them are still. */
  readonly armed: number;
  readonly ticking: number;
}

/** Counts what of the platform is used while `body` runs, by putting itself in its place. */
export async function watchPlatform<T>(body: () => Promise<T>): Promise<Used & { readonly value: T }> {
  const used = { controllers: 0, added: 0, removed: 0, armed: 0 };
  const ticking = new Set<unknown>();
  const { AbortController, setTimeout, clearTimeout } = globalThis;
  class CountedController extends AbortController {
    constructor() {
      super();
      used.controllers++;
    }
  }
  const count = (callback: () => void, delay?: number): unknown => {
    const timer = setTimeout(() => {
      ticking.delete(timer);
      callback();
    }, delay);
    used.armed++;
    ticking.add(timer);
    return timer;
  };
  const clear = (timer: NodeJS.Timeout | undefined): void => {
    ticking.delete(timer);
    clearTimeout(timer);
  };
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  Object.assign(globalThis, { AbortController: CountedController, setTimeout: count, clearTimeout: clear });
  Object.defineProperties(AbortSignal.prototype, {
    addEventListener: {
      configurable: true,
      value(this: AbortSignal, ...given: Parameters<typeof addEventListener>) {
        used.added++;
        return addEventListener.apply(this, given);
      },
    },
    removeEventListener: {
      configurable: true,
      value(this: AbortSignal, ...given: Parameters<typeof removeEventListener>) {
        used.removed++;
        return removeEventListener.apply(this, given);
      },
    },
  });
  try {
    const value = await body();
    return { ...used, ticking: ticking.size, value };
  } finally {
    Object.assign(globalThis, { AbortController, setTimeout, clearTimeout });
    for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(AbortSignal.prototype, name);
  }
}
