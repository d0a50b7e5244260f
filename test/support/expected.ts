import { Cancelled, ErrorGroup, leaves } from "../../src/index.js";
import type { Trace } from "./interpret.js";
import { type Entry, outwards, type Place } from "./log.js";

/** What is thrown by a place, where nothing was cancelled: the very value; or a group that the library makes. */
export type Failure =
  | { readonly value: unknown }
  | { readonly group: readonly Failure[] }
  /** A group from which cancellations were taken. */
  | { readonly leaves: readonly unknown[] };

/** What has reached the end of a place. */
export interface Gathered {
  /** All failures, each once, in order of occurrence. */
  readonly failures: readonly Failure[];
  /** Where the first one came from. */
  readonly first: Input | undefined;
  readonly isCancelled: boolean;
}

type Verdict = Failure | "cancelled";

interface Input {
  /** Whose code, or which task or cleanup. */
  readonly of: Place;
  /** The last entry of the log before. */
  readonly at: number;
  readonly verdict: Verdict;
}

/**
 * A second opinion on what the places of a trace end with: gathered from what their code, their tasks and their cleanups were seen to throw. It knows
 * when which scope was cancelled, from the trace, and nothing of how the library comes to its own opinion.
 *
 * Only for programs without `float` and `drop`, of whose end nothing is noted, and if no cleanup was cancelled: `isClear` tells.
 */
export class Expectations {
  readonly #trace: Trace;
  readonly #inside = new Map<Place, Place[]>();
  readonly #left = new Map<Place, { readonly entry: Entry; readonly at: number }>();
  /** The index of the last entry of a place and of all that is in it. */
  readonly #last = new Map<Place, number>();

  constructor(trace: Trace) {
    this.#trace = trace;
    for (const place of trace.places) {
      if (place.parent !== undefined) this.#inside.set(place.parent, [...this.#placesIn(place.parent), place]);
    }
    for (const [at, entry] of trace.log.entries()) {
      if (entry.what === "leave") this.#left.set(entry.place, { entry, at });
      for (const place of outwards(entry.place)) this.#last.set(place, at);
    }
  }

  /** Whether there is only one answer. */
  get isClear(): boolean {
    const { places, cancelledSince } = this.#trace;
    return !places.some(
      (place) =>
        place.kind === "floating" || (place.kind === "cleanup" && place.scope !== place.parent?.scope && cancelledSince.has(place)),
    );
  }

  /** What the place is to end with, by its failures; `undefined` if it has none. */
  failure(place: Place): Failure | undefined {
    const { failures } = this.gathered(place);
    const isGrouping = (place.kind === "nursery" || place.kind === "run") && this.#groups(place);
    return isGrouping && failures.length > 0 ? { group: failures } : collapsed(failures);
  }

  gathered(place: Place): Gathered {
    const inputs = [...this.#ofCode(place), ...this.#placesIn(place).flatMap((inner) => this.#ofInner(place, inner))];
    inputs.sort((a, b) => a.at - b.at);
    const failures: Failure[] = [];
    for (const { verdict } of inputs) {
      if (verdict !== "cancelled" && !failures.some((known) => isSame(known, verdict))) failures.push(verdict);
    }
    const first = inputs.find(({ verdict }) => verdict !== "cancelled");
    return { failures, first, isCancelled: inputs.some(({ verdict }) => verdict === "cancelled") };
  }

  #placesIn(place: Place): readonly Place[] {
    return this.#inside.get(place) ?? [];
  }

  #ofCode(place: Place): Input[] {
    const left = this.#left.get(place);
    const outcome = left?.entry.outcome;
    if (left === undefined || outcome === undefined || outcome.ok) return [];
    // A disposer that captured its scope runs in one of the library's all the same, which nobody can cancel.
    const isForeign = place.scope === place.parent?.scope;
    return [{ of: place, at: left.at, verdict: judged({ value: outcome.error }, !isForeign && this.isCancelledAt(place, left.at)) }];
  }

  /** What a task or a cleanup adds to the place that it is in. */
  #ofInner(place: Place, inner: Place): Input[] {
    if (inner.kind !== "task" && inner.kind !== "cleanup") return [];
    const at = this.#last.get(inner) ?? 0;
    const { failures, isCancelled } = this.gathered(inner);
    const failure = collapsed(failures);
    if (inner.kind === "task")
      return failure === undefined ? (isCancelled ? [{ of: inner, at, verdict: "cancelled" }] : []) : [{ of: inner, at, verdict: failure }];
    if (failure !== undefined) return [{ of: inner, at, verdict: judged(failure, this.isCancelledAt(place, at)) }];
    return [];
  }

  isCancelledAt(place: Place, at: number): boolean {
    const since = this.#trace.cancelledSince.get(place);
    return since !== undefined && since <= at;
  }

  /** R3: `errors: "group"` is inherited, until somebody says otherwise. A task that is started is one of the nursery that it is for. */
  #groups(place: Place): boolean {
    const { statement } = place;
    const own = place.kind === "nursery" && statement?.op === "nursery" ? statement.errors : undefined;
    if (own !== undefined) return own === "group";
    if (place.parent === undefined) return this.#trace.program.errors === "group";
    return this.#groups(place.target ?? place.parent);
  }
}

/** The same object counts once; also a group of a task that came by a join as well. */
function isSame(known: Failure, next: Failure): boolean {
  return "value" in next && ("value" in known ? sameValue(known.value, next.value) : "group" in known && isAsExpected(next.value, known));
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function collapsed(failures: readonly Failure[]): Failure | undefined {
  return failures.length > 1 ? { group: failures } : failures[0];
}

/** What a failure is that comes to the end of a scope: nothing but a failure, unless the scope is cancelled. */
function judged(failure: Failure, isCancelled: boolean): Verdict {
  if (!isCancelled) return failure;
  const all = leavesOf(failure);
  const kept = all.filter((leaf) => !isCancellation(leaf));
  if (kept.length === all.length) return failure;
  // What is taken apart is told once, also a string that was thrown twice.
  const genuine = [...new Set(kept)];
  if (genuine.length === 0) return "cancelled";
  return genuine.length === 1 ? { value: genuine[0] } : { leaves: genuine };
}

function leavesOf(failure: Failure): readonly unknown[] {
  if ("value" in failure) return leaves(failure.value);
  if ("group" in failure) return failure.group.flatMap(leavesOf);
  return failure.leaves;
}

/** Whether an error stands for a cancellation where there is one: by itself, by what caused it, or by its looks. */
function isCancellation(error: unknown): boolean {
  for (let at = error; at instanceof Error || at instanceof DOMException; at = at.cause) {
    if (at instanceof Cancelled || at.name === "AbortError") return true;
  }
  return false;
}

export function isAsExpected(error: unknown, expected: Failure): boolean {
  if ("value" in expected) return sameValue(error, expected.value);
  if (!(error instanceof ErrorGroup)) return false;
  const { errors } = error;
  if ("leaves" in expected) return same(leaves(error), expected.leaves);
  return errors.length === expected.group.length && expected.group.every((failure, i) => isAsExpected(errors[i], failure));
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
}
