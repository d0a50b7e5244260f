import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import { CancelScope } from "../kernel/scope.js";
import { requireAnswer, requireFunction } from "../kernel/validate.js";
import type { EventName, Source } from "./event-source.js";

export interface EventOptions<E> {
  /** Which events count: it returns true or false, at once. What it throws is thrown by the wait. */
  readonly filter?: ((event: E) => boolean) | undefined;
  /** Events that are failures. Default: `"error"` of an emitter, none of an `EventTarget`. */
  readonly failOn?: EventName | readonly EventName[] | undefined;
}

export function requireEventOptions(options: EventOptions<never> | undefined, caller: string): void {
  if (options instanceof CancelScope) throw new UsageError(`${caller} takes its options before the scope: pass undefined for no options`);
  if (options?.filter !== undefined) requireFunction(options.filter, `\`filter\` of ${caller}`);
}

export function requireName(name: unknown, caller: string): void {
  if (typeof name !== "string" && typeof name !== "symbol")
    throw new TypeError(`${caller} takes the name of an event, not ${describe(name)}`);
}

export function namesOf(names: EventName | readonly EventName[] | undefined, caller: string): readonly EventName[] {
  const all = names === undefined ? [] : Array.isArray(names) ? names : [names];
  for (const name of all) requireName(name, caller);
  return all;
}

/** The events that are failures, while one listens to `name`. */
export function failuresOf(source: Source, name: EventName, { failOn }: EventOptions<never>, caller: string): readonly EventName[] {
  return failOn === undefined ? (source.isEmitter && name !== "error" ? ["error"] : []) : namesOf(failOn, caller);
}

/** Whether an event counts. */
export function isWanted<E>(event: E, { filter }: EventOptions<E>, caller: string): boolean {
  return filter === undefined || requireAnswer(filter(event), `\`filter\` of ${caller}`);
}
