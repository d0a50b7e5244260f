import type { CancelScope } from "../../src/index.js";
import type { Statement } from "./program.js";

export type PlaceKind = "run" | "nursery" | "scope" | "task" | "cleanup" | "floating" | "start";

/**
 * Where code of a program runs: the body of a scope, a task, a cleanup. Code that nobody awaits is in a `floating` place, in the scope of the place
 * around. A task that is being started is in a `start`, which has no code and the scope of the caller, until it moves.
 */
export interface Place {
  /** From 0 in order of creation; also what its code returns. */
  readonly id: number;
  readonly kind: PlaceKind;
  /** The place around. A task's is its nursery; that of a started one changes when it moves there. */
  parent: Place | undefined;
  readonly scope: CancelScope;
  /** What made it. */
  readonly statement: Statement | undefined;
  /** Of a `start`: the nursery that the task is for. */
  readonly target: Place | undefined;
}

export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/**
 * Something that happened. `enter`, `leave`: of the code of a place, so what left has not passed the library yet. `settle`: what the library made of it,
 * for places that are awaited. `begin`, `end`: of a statement in a place. `leave`, `settle` and `end` have an outcome.
 */
export interface Entry {
  readonly what: "enter" | "leave" | "settle" | "begin" | "end";
  readonly place: Place;
  /** Virtual time. */
  readonly at: number;
  /** Whether the scope of the place was cancelled at that instant. */
  readonly isCancelled: boolean;
  readonly statement?: Statement | undefined;
  readonly outcome?: Outcome | undefined;
}

/** The place and those around it, from the inside out. */
export function* outwards(place: Place): Generator<Place> {
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) yield at;
}

/** Whether it is, or is in, code that nobody awaits. */
export function isFloating(place: Place): boolean {
  return [...outwards(place)].some(({ kind }) => kind === "floating");
}

/** Whether the scope is cancelled, asked in a way that changes nothing: deadlines stay uncommitted, and no signal is made. */
export function isCancelled(scope: CancelScope): boolean {
  return scope.effectiveDeadline === Number.NEGATIVE_INFINITY;
}

/** One line about an entry, for failing tests to print: its objects are the whole tree. */
export function lineOf({ what, place, at, isCancelled, statement, outcome }: Entry): string {
  const path = [...outwards(place)].map(({ kind, id }) => `${kind} ${id}`).join(" in ");
  const how = outcome === undefined ? "" : outcome.ok ? ` with ${String(outcome.value)}` : ` by ${String(outcome.error)}`;
  return `${at} ms${isCancelled ? ", cancelled" : ""}: ${what} ${statement?.op ?? ""}${how}: ${path}`;
}
