import type { Step } from "../engine/step.js";

/** Microseconds that a step takes in the picture: steps have an order, and no duration. */
const STEP_US = 1000;

/** The JSON object format of Chrome's trace events. */
export interface TraceEvents {
  readonly traceEvents: readonly Readonly<Record<string, unknown>>[];
}

/** The steps of a run, with a row for each task. */
export function traceEventsOf(steps: readonly Step[]): TraceEvents {
  const tasks = [...new Set(steps.map(({ task }) => task))];
  const names = tasks.map((name, tid) => ({ name: "thread_name", ph: "M", pid: 1, tid, args: { name } }));
  const events = steps.map(({ index, time, task, op, object, choice, reads, writes, site }) => ({
    name: object === "" ? op : `${op} ${object}`,
    ph: "X",
    ts: index * STEP_US,
    dur: STEP_US,
    pid: 1,
    tid: tasks.indexOf(task),
    args: { "virtual ms": time, departs: choice !== 0, reads, writes, site },
  }));
  return { traceEvents: [...names, ...events] };
}
