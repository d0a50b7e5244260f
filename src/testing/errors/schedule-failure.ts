import type { FailureKind } from "../engine/finding.js";
import type { Step } from "../engine/step.js";
import type { WaitGraph } from "../report/sim-wait-graph.js";
import { timelineOf } from "../report/timeline.js";
import { type TraceEvents, traceEventsOf } from "../report/trace-events.js";

/** What a `ScheduleFailure` tells. */
export interface FailureDetails {
  readonly kind: FailureKind;
  /** What was thrown, or what was found. */
  readonly cause: unknown;
  /** The schedule as text, for `replay`. */
  readonly replay: string;
  readonly waitGraph?: WaitGraph | undefined;
  readonly steps: readonly Step[];
  /** After how many of them it was found; `undefined`: at the end. */
  readonly foundAt?: number | undefined;
  /** How it was found, and what is known of the default order: sentences. */
  readonly story: readonly string[];
  /** What is told before all that. */
  readonly preface?: string | undefined;
}

/**
 * What was found wrong under some schedule. `message` is the whole report: what, who waits on what, how to run it again, and what happened step by step.
 * `cause` is the error of the run.
 */
export class ScheduleFailure extends Error {
  override readonly name = "ScheduleFailure";
  readonly kind: FailureKind;
  /** The smallest schedule that is known to fail so, as `replay` takes it: `r:1#c6k` departs once from the order in which each task runs until it waits. */
  readonly replay: string;
  readonly waitGraph: WaitGraph | undefined;
  /** What happened, as a table. */
  readonly timeline: string;
  readonly steps: readonly Step[];

  constructor(details: FailureDetails) {
    const { kind, cause, replay, waitGraph, steps } = details;
    const timeline = timelineOf(steps, details.foundAt);
    super(reportOf(details, timeline), { cause });
    this.kind = kind;
    this.replay = replay;
    this.waitGraph = waitGraph;
    this.timeline = timeline;
    this.steps = steps;
  }

  /** What happened as Chrome trace events, for Perfetto: `JSON.stringify` it into a file. */
  toTraceEvents(): TraceEvents {
    return traceEventsOf(this.steps);
  }
}

function reportOf({ kind, cause, replay, waitGraph, story, preface }: FailureDetails, timeline: string): string {
  const graph = waitGraph?.toString() ?? "";
  const parts = [
    ...(preface === undefined ? [] : [preface]),
    `${kind}: ${messageOf(cause)}`,
    ...(graph === "" ? [] : [indented(graph)]),
    ...(story.length === 0 ? [] : [story.join(" ")]),
    `Run it again: SIM_REPLAY=${replay}, or: await replay("${replay}", body)`,
    timeline,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The first line of a deadlock is enough: the graph follows. */
export function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `${String(cause)} was thrown`;
  if (cause.name === "DeadlockError") return cause.message.split("\n", 1)[0]?.replace(/:$/, "") ?? "";
  return cause.name === "Error" ? cause.message : `${cause.name}: ${cause.message}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
