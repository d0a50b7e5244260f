import { DepartureScheduler } from "../engine/departures.js";
import type { Session } from "../engine/session.js";
import { ReplayDiverged } from "../errors/replay-diverged.js";
import { ScheduleFailure } from "../errors/schedule-failure.js";
import { type Decoded, encode, short } from "../search/schedule-code.js";
import { failureOf } from "../simulate.js";
import { codeOf, detailsOf, runInjected } from "./injected-run.js";
import type { Injection } from "./injection.js";
import type { InjectionChecks } from "./injection-options.js";
import { Injector } from "./injector.js";

/**
 * One disturbed run, again. The schedule runs once without the injection first, which tells where that goes.
 *
 * @throws ScheduleFailure if it fails
 * @throws ReplayDiverged if it does not, and took another path than the one recorded
 */
export async function replayInjection(
  session: Session<unknown>,
  { departures, checksum }: Decoded,
  injection: Injection,
  checks: InjectionChecks,
): Promise<void> {
  const counter = new Injector();
  const calm = await session.trial(new DepartureScheduler(departures), { observer: counter });
  if (calm.finding !== undefined) throw failureOf(calm, encode(departures, calm.trace.checksum), ["It fails without the injection."]);
  const { checkpoints } = counter;
  if (injection.k > checkpoints.length) throw diverged(`there are only ${checkpoints.length} checkpoints`);
  const run = await runInjected(session, { departures, checkpoints, trace: calm.trace }, injection, checks, true);
  const { finding, trace } = run.result;
  const hasDiverged = checksum !== undefined && short(trace.checksum) !== checksum;
  if (finding !== undefined) {
    const details = detailsOf(run);
    const story = hasDiverged
      ? [...details.story, "It took another path than the one recorded: the program has changed since."]
      : details.story;
    throw new ScheduleFailure({ ...details, story });
  }
  if (run.injector.isMissed) throw diverged("no scope of that name is open there");
  if (hasDiverged) throw diverged(`it passes, and took another path, which is ${codeOf(run)}`);
}

function diverged(how: string): ReplayDiverged {
  return new ReplayDiverged(
    `the injection was recorded in another run: ${how}. The program has changed since, or is not deterministic, or its options are others`,
  );
}
