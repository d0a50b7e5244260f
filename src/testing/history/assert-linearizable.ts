import { UsageError } from "../../index.js";
import { NonlinearizableError } from "../errors/nonlinearizable-error.js";
import { historyReport } from "../report/history-report.js";
import type { HistoryEntry } from "./history-entry.js";
import { type Linearization, linearize, type Operation } from "./linearize.js";
import type { SequentialModel } from "./sequential-model.js";
import { StateKeys } from "./state-key.js";

export interface LinearizableOptions {
  /** Whether an operation that was cancelled had no effect (`"none"`), or may have had its effect (`"maybe"`). Default `"none"`. */
  readonly cancelled?: "none" | "maybe" | undefined;
  /** After so many different states the search is given up. Default 100,000. */
  readonly maxStates?: number | undefined;
}

interface Recorded extends Operation {
  readonly entry: HistoryEntry;
}

/**
 * Throws unless the operations of a history could have come one after another, each at an instant between its call and its return, with the results that they
 * had. An operation that is not over yet may have had its effect or not. One that was cancelled had none, unless `cancelled` is `"maybe"`.
 *
 * The report shows no more of the history than what is needed: what came before the first return that nothing explains.
 *
 * @throws NonlinearizableError if there is no such order; `explore` reports it as that
 * @throws UsageError if there is no verdict after `maxStates` states
 * @example
 * const register: SequentialModel<number> = {
 *   init: () => 0,
 *   step: (state, op, [value], result) => {
 *     if (op === "write") return { state: value as number };
 *     return result === state ? { state } : undefined;
 *   },
 * };
 * assertLinearizable(history, register);
 */
export function assertLinearizable<S, Op extends string = string>(
  history: readonly HistoryEntry[],
  model: SequentialModel<S, Op>,
  options: LinearizableOptions = {},
): void {
  const { cancelled = "none", maxStates = 100_000 } = options;
  if (cancelled !== "none" && cancelled !== "maybe")
    throw new UsageError(`\`cancelled\` of assertLinearizable() is "none" or "maybe", not ${String(cancelled)}`);
  if (!(maxStates >= 1)) throw new RangeError(`\`maxStates\` of assertLinearizable() is a number from 1, not ${maxStates}`);
  for (const [part, entries] of partsOf(history, model)) {
    const relevant = cancelled === "none" ? entries.filter((entry) => !entry.cancelled) : entries;
    if (search(relevant, model, maxStates).verdict === "yes") continue;
    const shortest = shortestOf(relevant, model, maxStates);
    const until = Math.max(...shortest.map(({ call }) => call));
    const { order, state } = search(shortest, model, maxStates);
    throw new NonlinearizableError(
      historyReport({
        part,
        order: order.map(({ entry }) => originalOf(entries, entry)),
        state,
        entries: entries.filter(({ call }) => call <= until),
      }),
    );
  }
}

function partsOf<S, Op extends string>(history: readonly HistoryEntry[], model: SequentialModel<S, Op>): Map<string, HistoryEntry[]> {
  const parts = new Map<string, HistoryEntry[]>();
  for (const entry of history) {
    const part = model.partition?.(entry.op as Op, entry.args) ?? "";
    const entries = parts.get(part);
    if (entries === undefined) parts.set(part, [entry]);
    else entries.push(entry);
  }
  return parts;
}

/** The history until the first return that nothing explains. What had not returned by then may have had its effect, with the result that it came to have. */
function shortestOf<S, Op extends string>(
  entries: readonly HistoryEntry[],
  model: SequentialModel<S, Op>,
  maxStates: number,
): readonly HistoryEntry[] {
  const returns = entries.map(({ ret }) => ret).sort((one, other) => one - other);
  // What is explained up to some return is explained up to every earlier one.
  let [low, high] = [0, returns.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (search(until(entries, returns[middle] as number), model, maxStates).verdict === "yes") low = middle + 1;
    else high = middle;
  }
  return until(entries, returns[low] as number);
}

interface Cut extends HistoryEntry {
  readonly isCut?: true;
}

function until(entries: readonly HistoryEntry[], end: number): readonly Cut[] {
  return entries.filter(({ call }) => call < end).map((entry) => (entry.ret > end ? { ...entry, isCut: true as const } : entry));
}

function originalOf(entries: readonly HistoryEntry[], { call }: HistoryEntry): HistoryEntry {
  return entries.find((entry) => entry.call === call) as HistoryEntry;
}

/** @throws UsageError if there is no verdict */
function search<S, Op extends string>(
  entries: readonly Cut[],
  model: SequentialModel<S, Op>,
  maxStates: number,
): Linearization<Recorded, S> {
  const keys = new StateKeys();
  const operations = entries.map((entry): Recorded => {
    const isOptional = entry.isCut === true || entry.cancelled || entry.ret === Number.POSITIVE_INFINITY;
    return { entry, call: entry.call, ret: entry.ret, isOptional };
  });
  const questions = linearize(operations, model.init(), (state) => keys.of(state), maxStates);
  let next = questions.next();
  while (next.done !== true) next = questions.next(statesAfter(model, next.value.state, next.value.operation.entry));
  if (next.value.verdict !== "undecided") return next.value;
  throw new UsageError(
    `no verdict on a history of ${entries.length} operations after ${maxStates} states: record fewer operations at once, give the model a ` +
      "partition(), or raise `maxStates`",
  );
}

function statesAfter<S, Op extends string>(model: SequentialModel<S, Op>, state: S, entry: HistoryEntry): readonly S[] {
  const op = entry.op as Op;
  const { args, result, error, failed, cancelled, ret } = entry;
  const isUnknown = cancelled || ret === Number.POSITIVE_INFINITY;
  if (isUnknown && model.maybe !== undefined) return model.maybe(state, op, args, entry);
  if (failed && model.fail === undefined) return [state];
  const next = failed ? model.fail?.(state, op, args, error, entry) : model.step(state, op, args, result, entry);
  return next === undefined ? [] : [next.state];
}
