import type { Telling } from "../engine/finding.js";
import type { Trace } from "../engine/trace.js";

/** Of how many steps at the end a cycle is looked for. */
const TAIL = 600;
const LONGEST_CYCLE = 100;
const SHOWN = 12;

/** A run went on and on, also in an order in which nothing is starved. */
export class LivelockError extends Error implements Telling {
  override readonly name = "LivelockError";
  readonly failureKind = "livelock";

  constructor(trace: Trace) {
    const names: string[] = [];
    for (let i = Math.max(0, trace.length - TAIL); i < trace.length; i++) {
      const { task, op, object } = trace.stepAt(i);
      names.push(`${task}: ${op}${object && ` ${object}`}`);
    }
    const period = periodOf(names);
    const shown = names.slice(-Math.min(period ?? SHOWN, SHOWN));
    const what = period === undefined ? "the last steps" : `a cycle of ${period} ${period === 1 ? "step" : "steps"}`;
    super(`no end after ${trace.length} steps: ${what}\n  ${shown.join(" | ")}${(period ?? 0) > SHOWN ? " | …" : ""}`);
  }
}

/** The shortest cycle that the end of a list consists of: three times at least. */
function periodOf(names: readonly string[]): number | undefined {
  const last = names.length - 1;
  for (let period = 1; period <= LONGEST_CYCLE && 3 * period <= names.length; period++) {
    let same = 0;
    while (same < 2 * period && names[last - same] === names[last - same - period]) same++;
    if (same === 2 * period) return period;
  }
  return undefined;
}
