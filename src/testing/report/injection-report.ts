import type { Finding } from "../engine/finding.js";
import type { Session } from "../engine/session.js";
import { messageOf, ScheduleFailure } from "../errors/schedule-failure.js";
import { codeOf, detailsOf, type InjectedRun, operationOf, runInjected } from "../injection/injected-run.js";
import type { InjectionChecks } from "../injection/injection-options.js";

/** All failures of a search in one error: a list by place, and the whole report on the first, from a last run that records where tasks wait. */
export async function injectionFailure(
  failed: readonly InjectedRun[],
  runs: number,
  session: Session<unknown>,
  checks: InjectionChecks,
): Promise<ScheduleFailure> {
  const first = failed[0] as InjectedRun;
  const again = await runInjected(session, first.probe, first.injection, checks, true);
  const isStable = again.result.finding !== undefined && again.result.trace.checksum === first.result.trace.checksum;
  const details = detailsOf(isStable ? again : first);
  const story = isStable ? details.story : [...details.story, "Run once more it took another path: something in it is not under control."];
  return new ScheduleFailure({ ...details, story, preface: prefaceOf(failed, runs) });
}

/** What fails where. */
function prefaceOf(failed: readonly InjectedRun[], runs: number): string {
  const sites = new Map<string, Map<string, InjectedRun[]>>();
  for (const run of failed) {
    const site = `${run.checkpoint.kind}: ${operationOf(run.checkpoint)}`;
    const what = headlineOf(run.result.finding as Finding);
    const found = sites.get(site) ?? new Map<string, InjectedRun[]>();
    sites.set(site, found);
    const same = found.get(what);
    if (same === undefined) found.set(what, [run]);
    else same.push(run);
  }
  const lines = [`${failed.length} of ${runs} runs with an injection fail, at ${sites.size} ${sites.size === 1 ? "place" : "places"}:`];
  for (const [site, found] of sites) {
    lines.push(`  ${site}`);
    for (const [what, same] of found) {
      const code = codeOf(same[0] as InjectedRun);
      lines.push(`    ${what}`, `      ${same.length === 1 ? "once" : `${same.length} times, first`}: ${code}`);
    }
  }
  return `${lines.join("\n")}\n\nThe first of them:`;
}

/** The first line tells failures apart. */
function headlineOf({ kind, error }: Finding): string {
  const [line = ""] = messageOf(error).split("\n", 1);
  return `${kind}: ${line}`;
}
