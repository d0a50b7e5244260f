import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import { operate } from "../kernel/lookup.js";
import { Operation } from "../kernel/operation.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";

/** What may be chosen, each under a name: a receive end, `send.sending(value)`, an `Event`, a `Task`, `timeout(ms)`. */
export type Cases = Readonly<Record<string, Selectable<unknown>>>;

/** What was chosen: the name of the case and its result. The name tells TypeScript which result it is. */
export type Chosen<C extends Cases> = {
  [K in keyof C & string]: { readonly key: K; readonly value: C[K] extends Selectable<infer T> ? T : never };
}[keyof C & string];

/**
 * Waits until one of several operations can be done, and does that one: exactly one, and the others have had no effect. Resolves to its name and its result.
 *
 * If several can be done at once, the one that is named first is. Otherwise the `select` stands in all their queues, in order of arrival like anybody else,
 * and the first that gets its turn is chosen. A full checkpoint; if it is cancelled first, none has been done.
 *
 * What the chosen operation throws, `select` throws: `EndOfChannel` for example. To have the end of a channel as a result, use `receive.orEnd`.
 *
 * Pitfall: in a loop, a case that can always be done keeps those behind it waiting for ever. Name it last, or use `selectFair`.
 * Pitfall: names that are whole numbers come first, whatever their place: JavaScript orders the keys of objects so.
 *
 * Source: select of Go and Kotlin; Trio has none.
 *
 * @throws UsageError if there is no case, or a task would join itself
 * @example
 * const chosen = await select({ job: jobs, stop: stopping, sent: results.sending(result), late: timeout(500) });
 * if (chosen.key === "job") await work(chosen.value);
 */
export function select<const C extends Cases>(cases: C, scope?: Cancellable): Promise<Chosen<C>> {
  return operate(scope, selectIn<C>, cases, false);
}

/**
 * As `select`, in a loop as well: if several cases can be done at once, each of them has the same chance, so that none keeps the others waiting. If it has to
 * wait, the first that gets its turn is chosen. The numbers come from the runtime, so a replay chooses the same. A full checkpoint; if it is cancelled
 * first, none has been done.
 *
 * Source: select of Go.
 *
 * @throws UsageError if there is no case, or a task would join itself; and what the chosen operation throws
 * @example
 * const { key, value } = await selectFair({ urgent, normal });
 */
export function selectFair<const C extends Cases>(cases: C, scope?: Cancellable): Promise<Chosen<C>> {
  return operate(scope, selectIn<C>, cases, true);
}

type Named = readonly [key: string, alternative: Alternative<unknown>];

function selectIn<C extends Cases>(scope: CancelScope, cases: C, isFair: boolean): Promise<Chosen<C>> {
  const named = alternativesOf(cases);
  // All are asked, also behind one that is ready: what the scope may not do at all is an error whatever the others are.
  const ready = named.filter(([, alternative]) => alternative.isReady(scope));
  const chosen = ready[isFair && ready.length > 1 ? Math.floor(scope._runtime.random() * ready.length) : 0];
  if (chosen === undefined) return new Selecting(named).begin(scope) as Promise<Chosen<C>>;
  const [key, alternative] = chosen;
  return scope._runtime.pause(scope, "select", undefined, { key, value: alternative.take() } as Chosen<C>);
}

function alternativesOf(cases: Cases): Named[] {
  if (cases === null || typeof cases !== "object" || Array.isArray(cases) || selectable in cases) {
    throw new TypeError(`select() takes an object that names its cases, as { job: jobs, late: timeout(500) }, not ${describe(cases)}`);
  }
  const entries = Object.entries(cases);
  if (entries.length === 0) throw new UsageError("select() without a case would wait for ever");
  return entries.map(([key, of]) => {
    if (typeof of?.[selectable] === "function") return [key, of[selectable]()];
    const advice = "It takes a receive end, send.sending(value), an Event, a Task, or timeout(ms)";
    throw new TypeError(`the case ${key} of select() is ${describe(of)}, which is nothing to choose. ${advice}`);
  });
}

/** A `select` that waits. While it is parked, each of its alternatives stands in its queue; none does afterwards. */
class Selecting extends Operation<{ readonly key: string; readonly value: unknown }> {
  readonly #named: readonly Named[];
  readonly #enlisted: Enlisted[] = [];

  constructor(named: readonly Named[]) {
    super();
    this.#named = named;
  }

  get op(): string {
    return `select (${this.#named.map(([key]) => key).join(", ")})`;
  }

  get on(): undefined {
    return undefined;
  }

  begin(scope: CancelScope): Promise<unknown> {
    const promise = scope._park(this.waiter);
    for (const [key, alternative] of this.#named) {
      this.#enlisted.push(alternative.enlist(new NamedChoice(this, key), scope));
      // A timeout of 0, after all the others have been asked.
      if (this.waiter.isOver) break;
    }
    return promise;
  }

  override forget(): void {
    for (const enlisted of this.#enlisted) enlisted.leave();
  }
}

class NamedChoice implements Choice {
  readonly #selecting: Selecting;
  readonly #key: string;

  constructor(selecting: Selecting, key: string) {
    this.#selecting = selecting;
    this.#key = key;
  }

  get promise(): Promise<unknown> {
    return this.#selecting.waiter.promise;
  }

  wake(value: unknown): boolean {
    return this.#selecting.waiter.wake({ key: this.#key, value });
  }

  fail(error: unknown): boolean {
    return this.#selecting.waiter.fail(error);
  }
}
