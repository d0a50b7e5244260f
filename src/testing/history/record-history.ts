import { Cancelled, isCancellation, UsageError } from "../../index.js";
import type { Cancellable } from "../../kernel/types.js";
import { SimController } from "../engine/sim-controller.js";
import type { Sim } from "../sim.js";
import type { HistoryEntry } from "./history-entry.js";

export interface RecordOptions<T> {
  /** The names of the methods that are recorded. Default: all of them. */
  readonly methods?: readonly (keyof T & string)[] | undefined;
}

export interface Recorded<T> {
  /** To be used instead of the target. */
  readonly object: T;
  /** In the order of the calls. It grows. */
  readonly history: readonly HistoryEntry[];
}

/**
 * Wraps an object so that the calls of its methods are recorded, for `assertLinearizable`: by which task, in which order they began and ended, and with what
 * outcome. An async method lasts until its promise is settled; one that returns anything else is over at once, and nothing can come between.
 *
 * What an object calls on itself is not recorded, and neither are properties and methods named by symbols (`for await`: call `receive()` instead). What a
 * method returns is not wrapped. Name the `methods` if the model does not know all of them.
 *
 * @throws UsageError if `sim` is none of a simulated run
 * @example
 * await explore(async (sim) => {
 *   const { object: cache, history } = recordHistory(sim, new Cache());
 *   await openNursery((nursery) => {
 *     nursery.startSoon(() => cache.get("a"), { name: "reader" });
 *     nursery.startSoon(() => cache.set("a", 1), { name: "writer" });
 *   });
 *   assertLinearizable(history, cacheModel);
 * });
 */
export function recordHistory<T extends object>(sim: Sim, target: T, options: RecordOptions<T> = {}): Recorded<T> {
  if (!(sim instanceof SimController))
    throw new UsageError("recordHistory() takes the `sim` of a simulated run, and what is to be recorded");
  const recorder = new Recorder(sim);
  const methods = options.methods === undefined ? undefined : new Set<PropertyKey>(options.methods);
  const wrapped = new Map<PropertyKey, { readonly member: unknown; readonly wrapper: unknown }>();
  const object = new Proxy(target, {
    get(_, key) {
      // On the object itself, so that private fields work.
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      const known = wrapped.get(key);
      if (known?.member === member) return known.wrapper;
      const isRecorded = typeof key === "string" && (methods === undefined ? key !== "constructor" : methods.has(key));
      const wrapper = isRecorded
        ? (...args: unknown[]) => recorder.call(key, args, () => Reflect.apply(member, target, args) as unknown)
        : key === "constructor"
          ? member
          : (...args: unknown[]) => Reflect.apply(member, target, args) as unknown;
      wrapped.set(key, { member, wrapper });
      return wrapper;
    },
    set: (_, key, value) => Reflect.set(target, key, value, target),
  });
  return { object, history: recorder.entries };
}

type Entry = { -readonly [K in keyof HistoryEntry]: HistoryEntry[K] };

/** Writes a history. @internal */
export class Recorder {
  readonly entries: Entry[] = [];
  readonly #sim: SimController;
  #events = 0;

  constructor(sim: SimController) {
    this.#sim = sim;
  }

  call(op: string, given: readonly unknown[], act: () => unknown): unknown {
    const last = given.at(-1);
    const scope = isScope(last) ? last : undefined;
    const args = scope === undefined ? [...given] : given.slice(0, -1);
    const entry: Entry = {
      task: this.#sim._taskName(scope),
      op,
      args,
      result: undefined,
      error: undefined,
      failed: false,
      cancelled: false,
      call: ++this.#events,
      ret: Number.POSITIVE_INFINITY,
      callStep: this.#sim._steps,
      retStep: Number.POSITIVE_INFINITY,
    };
    this.entries.push(entry);
    let outcome: unknown;
    try {
      outcome = act();
    } catch (error) {
      this.#failed(entry, error, scope);
      throw error;
    }
    return isThenable(outcome) ? this.#settled(entry, outcome, scope) : this.#returned(entry, outcome);
  }

  async #settled(entry: Entry, outcome: PromiseLike<unknown>, scope: Cancellable | undefined): Promise<unknown> {
    try {
      return this.#returned(entry, await outcome);
    } catch (error) {
      this.#failed(entry, error, scope);
      throw error;
    }
  }

  #returned(entry: Entry, result: unknown): unknown {
    entry.result = result;
    this.#over(entry);
    return result;
  }

  #failed(entry: Entry, error: unknown, scope: Cancellable | undefined): void {
    if (wasCancelled(error, scope)) entry.cancelled = true;
    else {
      entry.failed = true;
      entry.error = error;
    }
    this.#over(entry);
  }

  #over(entry: Entry): void {
    entry.ret = ++this.#events;
    entry.retStep = this.#sim._steps;
  }
}

/** A scope, a signal in an object; read without making a signal that nobody needs. */
function isScope(value: unknown): value is Cancellable {
  return typeof value === "object" && value !== null && "signal" in value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function wasCancelled(error: unknown, scope: Cancellable | undefined): boolean {
  try {
    return isCancellation(error, scope);
  } catch {
    return error instanceof Cancelled;
  }
}
