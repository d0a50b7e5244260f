import { describe } from "../../kernel/describe.js";
import type { HistoryEntry } from "../history/history-entry.js";

/** How many operations are shown, at most: the last ones. */
const SHOWN = 24;
const WIDEST = 60;

export interface Unexplained {
  /** In the order of their calls. */
  readonly entries: readonly HistoryEntry[];
  /** What they are operations of: the name of a part, or `""`. */
  readonly part: string;
  readonly order: readonly HistoryEntry[];
  readonly state: unknown;
}

/** The operations as intervals, and how far an explanation of them gets. */
export function historyReport({ entries, part, order, state }: Unexplained): string {
  const shown = entries.slice(-SHOWN);
  const hidden = entries.length - shown.length;
  const where = part === "" ? "" : ` (${part})`;
  const lines = [
    `the history is not linearizable${where}: no order of these operations explains all of their results`,
    ...(hidden === 0 ? [] : [`  … ${hidden} earlier ${hidden === 1 ? "operation" : "operations"}`]),
    ...chart(shown),
    order.length === 0
      ? `the first of them cannot be any, when the state is ${shownValue(state)}`
      : `the longest order that is right: ${orderText(order)}; then the state is ${shownValue(state)}`,
  ];
  const left = entries.filter((entry) => !order.includes(entry) && !entry.cancelled && entry.ret !== Number.POSITIVE_INFINITY);
  if (left.length > 0) lines.push(`not explained: ${left.map(nameOf).join(", ")}`);
  return lines.join("\n");
}

function orderText(order: readonly HistoryEntry[]): string {
  const names = order.map(nameOf);
  return names.length <= SHOWN ? names.join(", ") : `…, ${names.slice(-SHOWN).join(", ")}`;
}

/** A row for each operation, and a column for each call and return. */
function chart(entries: readonly HistoryEntry[]): string[] {
  const stamps = [...new Set(entries.flatMap(({ call, ret }) => [call, ret]))].filter(Number.isFinite).sort((one, other) => one - other);
  const columnOf = new Map(stamps.map((stamp, i) => [stamp, i]));
  const names = entries.map(nameOf);
  const steps = entries.map(stepsOf);
  const width = Math.max(...names.map(({ length }) => length), "operation".length);
  const stepWidth = Math.max(...steps.map(({ length }) => length), "steps".length);
  const rows = entries.map(({ call, ret }, i) => {
    const from = columnOf.get(call) as number;
    const to = columnOf.get(ret);
    const bar = to === undefined ? `|${"-".repeat(stamps.length - from)}` : `|${"-".repeat(to - from - 1)}|`;
    return `  ${(names[i] as string).padEnd(width)}  ${(steps[i] as string).padEnd(stepWidth)}  ${" ".repeat(from)}${bar}`;
  });
  return [`  ${"operation".padEnd(width)}  ${"steps".padEnd(stepWidth)}`.trimEnd(), ...rows];
}

function stepsOf({ callStep, retStep }: HistoryEntry): string {
  return retStep === Number.POSITIVE_INFINITY ? `${callStep}-` : callStep === retStep ? String(callStep) : `${callStep}-${retStep}`;
}

function nameOf(entry: HistoryEntry): string {
  return `${entry.task}: ${callText(entry)}${outcomeOf(entry)}`;
}

function callText({ op, args }: HistoryEntry): string {
  // A command, which says itself what it does.
  if (op.includes("(")) return clipped(op);
  return clipped(`${op}(${args.map(shownValue).join(", ")})`);
}

function outcomeOf({ result, error, failed, cancelled, ret }: HistoryEntry): string {
  if (ret === Number.POSITIVE_INFINITY) return " goes on";
  if (cancelled) return " cancelled";
  if (failed) return ` throws ${clipped(describe(error))}`;
  return result === undefined ? "" : ` = ${clipped(shownValue(result))}`;
}

/** As JSON where that says what it is. */
function shownValue(value: unknown): string {
  if (typeof value !== "object" || value === null || value instanceof Error) return describe(value);
  if (value instanceof Map || value instanceof Set) return clipped(`${value.constructor.name} ${shownValue([...value])}`);
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return describe(value);
  try {
    return clipped(JSON.stringify(value) ?? describe(value));
  } catch {
    return describe(value);
  }
}

function clipped(text: string): string {
  return text.length <= WIDEST ? text : `${text.slice(0, WIDEST - 1)}…`;
}
