import type { Telling } from "../engine/finding.js";
import type { Trace } from "../engine/trace.js";

/** One schedule, run twice, took two paths. */
export class NondeterminismError extends Error implements Telling {
  override readonly name = "NondeterminismError";
  readonly failureKind = "nondeterminism";

  /** `failure`: how the second run failed, where the first one did not. */
  constructor(first: Trace, second: Trace, failure?: string) {
    super(
      `the same schedule took two paths: ${failure ?? differenceOf(first, second)}.\n` +
        "Something in the program is not under control. Instead of Date.now() and performance.now(), use now() or sim.now(); of Math.random(), " +
        "sim.random(); of setTimeout(), sleep(); between tasks, an Event, a channel or join(), not a promise; and make all state anew in each run.",
    );
  }
}

function differenceOf(first: Trace, second: Trace): string {
  const length = Math.min(first.length, second.length);
  for (let i = 0; i < length; i++) {
    const [one, other] = [labelOf(first, i), labelOf(second, i)];
    if (one !== other) return `step ${i + 1} was "${one}", and then "${other}"`;
    const [then, now] = [first.times[i], second.times[i]];
    if (then !== now) return `step ${i + 1}, "${one}", was at ${then} ms of virtual time, and then at ${now} ms`;
  }
  if (first.length !== second.length) return `one has ${first.length} steps, the other ${second.length}`;
  return "the same steps, but with other choices";
}

function labelOf(trace: Trace, index: number): string {
  const { task, op, object } = trace.stepAt(index);
  return `${task}: ${op}${object && ` ${object}`}`;
}
