import type { Departures } from "../engine/departures.js";
import { DepartureScheduler } from "../engine/departures.js";
import type { Finding } from "../engine/finding.js";
import { kindOf } from "../engine/finding.js";
import type { Session } from "../engine/session.js";
import type { Trace } from "../engine/trace.js";
import type { TrialResult } from "../engine/trial.js";
import { NondeterminismError } from "../errors/nondeterminism-error.js";
import type { FailureDetails } from "../errors/schedule-failure.js";
import { encode } from "../search/schedule-code.js";
import { encodeInjection, type Injection } from "./injection.js";
import { type Injected, type InjectionChecks, judgement } from "./injection-options.js";
import { type Checkpoint, Injector } from "./injector.js";

/** A schedule in which nothing was injected: where it could be. */
export interface Probe {
  readonly departures: Departures;
  readonly checkpoints: readonly Checkpoint[];
  readonly trace: Trace;
}

/** One disturbed run. */
export interface InjectedRun {
  readonly probe: Probe;
  readonly injection: Injection;
  readonly checkpoint: Checkpoint;
  readonly injector: Injector;
  readonly result: TrialResult<unknown>;
}

/** Runs a schedule again, with one injection; and looks at what has become of it. */
export async function runInjected(
  session: Session<unknown>,
  probe: Probe,
  injection: Injection,
  checks: InjectionChecks,
  sites = false,
): Promise<InjectedRun> {
  const checkpoint = probe.checkpoints[injection.k - 1] as Checkpoint;
  const injector = new Injector({ injection, ...judgement(checks, checkpoint) });
  const { departures } = probe;
  const settings = { seed: departures.seed, sites, observer: injector, prepare: injector.prepare };
  let result = await session.trial(new DepartureScheduler(departures), settings);
  if (!isSamePlace(injector, checkpoint)) {
    const error = new NondeterminismError(probe.trace, result.trace);
    result = { ...result, finding: { kind: "nondeterminism", error, graph: undefined } };
  } else if (result.finding === undefined && !injector.isMissed && checks.check !== undefined) {
    const finding = await checked(checks.check, { ...injection, of: probe.checkpoints.length, ...placeOf(checkpoint) });
    result = { ...result, finding };
  }
  return { probe, injection, checkpoint, injector, result };
}

/** The text by which `replay` runs it again. */
export function codeOf({ probe, injection, result }: InjectedRun): string {
  return encode(probe.departures, result.trace.checksum) + encodeInjection(injection);
}

/** What a report tells of a run that failed. */
export function detailsOf(run: InjectedRun): FailureDetails {
  const { finding, trace } = run.result;
  const { kind, error, graph } = finding as Finding;
  return { kind, cause: error, replay: codeOf(run), waitGraph: graph, steps: trace.steps, foundAt: trace.foundAt, story: [storyOf(run)] };
}

/** `acquire Lock` */
export function operationOf({ op, object }: Checkpoint): string {
  return `${op}${object && ` ${object}`}`;
}

/** Whether the disturbance was made where the probe says. */
function isSamePlace(injector: Injector, { k, task, op, object, isWait }: Checkpoint): boolean {
  const at = injector.checkpoints[k - 1];
  if (at === undefined || at.task !== task || (injector.done === undefined && !injector.isMissed)) return false;
  return !isWait || !at.isWait || (at.op === op && at.object === object);
}

async function checked(check: (at: Injected) => unknown, at: Injected): Promise<Finding | undefined> {
  try {
    await check(at);
    return undefined;
  } catch (error) {
    return { kind: kindOf(error), error, graph: undefined };
  }
}

function placeOf({ task, op, object }: Checkpoint) {
  return { task, op, object };
}

function storyOf({ injection: { k, mode }, checkpoint, probe, injector }: InjectedRun): string {
  const place = `checkpoint ${k} of ${probe.checkpoints.length}: ${checkpoint.task}: ${operationOf(checkpoint)}.`;
  const { what, step } = injector.done ?? { what: "nothing was injected", step: 0 };
  const during = step === 0 ? "before the first step" : `in step ${step}`;
  const passes = "Without that, this schedule passes.";
  if (mode === "fault") return `Injected: a fault ${during}, as the outcome of ${place} ${passes}`;
  const when = mode === "enter" ? `${during}, right before` : `${step === 0 ? during : `after step ${step}`}, in the wait of`;
  return `Injected: ${what} ${when} ${place} ${passes}`;
}
