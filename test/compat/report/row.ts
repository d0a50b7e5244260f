import { TIMES } from "../harness/often.js";
import type { Probe } from "../harness/probe.js";
import type { Finding } from "../harness/run-probe.js";
import type { NodeVersion } from "../nodes.js";
import type { Result } from "../run-all.js";

/** A line of the table: a probe, and what it has shown on each Node. */
export interface Row {
  readonly probe: Probe;
  readonly results: readonly Result[];
}

/** The lines of a family, of the probes that were run. */
export function rowsOf(file: string, probes: readonly Probe[], results: readonly Result[]): readonly Row[] {
  const rows = probes.map((probe) => ({ probe, results: results.filter(({ id }) => id === `${file}/${probe.name}`) }));
  return rows.filter((row) => row.results.length > 0);
}

/** What is wrong with a result: nothing, if the API does what it should, with its wrapper if it has one. */
export function complaintsOf({ findings, complaints }: Result): readonly string[] {
  const ofScenarios = findings.flatMap(({ scenario, complaints: own }) => own.map((complaint) => `${scenario}: ${complaint}`));
  return [...new Set([...ofScenarios, ...complaints])];
}

/** What is wrong with a row as a whole. */
export function needlessWrapper({ results }: Row): string | undefined {
  const isNeedless = results.length > 0 && results.every(({ bare, isWrapped }) => isWrapped && bare?.complaints.length === 0);
  return isNeedless ? "it needs no wrapper (any more): without, all that is tried holds" : undefined;
}

export function resultOn({ results }: Row, { major }: NodeVersion): Result | undefined {
  return results.find(({ node }) => node.major === major);
}

/** Milliseconds from the cancellation of what waits to the end of its nursery: the least, where it was tried again. */
export function endsAfter({ findings }: Result): number {
  return Math.min(...findings.filter(({ scenario }) => scenario === "waiting").map(({ ms }) => ms));
}

/** What a cancelled operation does, left to itself. */
export function rejectionOf({ isWrapped, findings, bare }: Result): string {
  if (isWrapped && bare?.complaints.some((complaint) => complaint.includes("never ends"))) return "nothing: it does not settle";
  return (isWrapped ? bare : cancelled(findings))?.rejection ?? "nothing: it ends normally";
}

/** What an operation that takes no signal does when it is called off. */
export function calledOff({ findings }: Result): string {
  return cancelled(findings)?.rejection ?? "nothing: it ends normally";
}

/** The scenario that shows what a cancellation does. */
function cancelled(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ scenario }) => scenario === "waiting");
}

/** What many operations leave on one signal, per operation. */
export function listenersOf({ findings }: Result): "none" | "until collected" | "kept" {
  const often = findings.find((finding) => finding.often !== undefined)?.often;
  if (often === undefined || often.listeners < TIMES) return "none";
  return often.listenersLater < TIMES ? "until collected" : "kept";
}

/** The same answer on each Node, or what it is on which; empty ones are left out. */
export function perNode<T>({ results }: Row, answer: (result: Result) => T, text: (value: T) => string): string {
  const answers = results.map((result) => ({ major: result.node.major, said: text(answer(result)) }));
  const first = answers[0];
  if (first === undefined) return "";
  if (answers.every(({ said }) => said === first.said)) return first.said;
  return answers.flatMap(({ major, said }) => (said === "" ? [] : `Node ${major}: ${said}`)).join("; ");
}

/** What a row comes to, for its reader. */
export type Kind = "holds" | "resolves" | "needs a wrapper" | "takes no signal" | "does not hold";

export function kindOf(row: Row): Kind {
  const { probe, results } = row;
  if (results.some((result) => complaintsOf(result).length > 0)) return "does not hold";
  if (results.some(({ isWrapped }) => isWrapped)) return probe.takesNoSignal === true ? "takes no signal" : "needs a wrapper";
  return probe.resolves === true ? "resolves" : "holds";
}
