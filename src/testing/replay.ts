import { DepartureScheduler } from "./engine/departures.js";
import { Session } from "./engine/session.js";
import { ReplayDiverged } from "./errors/replay-diverged.js";
import { splitCode } from "./injection/injection.js";
import { type InjectionChecks, validateChecks } from "./injection/injection-options.js";
import { replayInjection } from "./injection/replay-injection.js";
import { decode, encode, short } from "./search/schedule-code.js";
import type { SimBody } from "./sim.js";
import type { SimOptions } from "./sim-options.js";
import { failureOf } from "./simulate.js";

/** The options with which a schedule was found. */
export interface ReplayOptions extends Omit<SimOptions, "base" | "seed" | "timeRaces">, InjectionChecks {}

/**
 * Runs `body` under the schedule that a report printed, with the places in its report where tasks wait. The code of an injection runs it without that
 * first, and then with it, and wants the `fault`, `expected`, `grace` and `check` of `injectCancellation`, if it had them. It begins anew where `explore` does.
 *
 * @throws ScheduleFailure if it fails, which is what one replays for
 * @throws ReplayDiverged if it does not fail, and took another path than the one recorded: the program has changed, or is not deterministic
 * @throws UsageError if `code` is no schedule
 * @example
 * await replay("r:1#c6k", body);
 * await replay("f:#c6k@12b.task", body, { check }); // a wait of checkpoint 12, of which the task is cancelled
 */
export async function replay(code: string, body: SimBody, options: ReplayOptions = {}): Promise<void> {
  const { schedule, injection } = splitCode(code);
  const decoded = decode(schedule);
  const { departures, checksum } = decoded;
  validateChecks(options, "replay()");
  const settings = { ...options, timeRaces: departures.timeRaces, seed: departures.seed, sites: options.sites ?? true };
  await Session.repeatable("replay()", body, settings, true, async (session) => {
    if (injection !== undefined) return replayInjection(session, decoded, injection, options);
    const result = await session.trial(new DepartureScheduler(departures));
    const hasDiverged = checksum !== undefined && short(result.trace.checksum) !== checksum;
    if (result.finding !== undefined) {
      const story = hasDiverged ? ["It took another path than the one recorded: the program has changed since."] : [];
      throw failureOf(result, encode(departures, result.trace.checksum), story);
    }
    if (hasDiverged) {
      throw new ReplayDiverged(
        `${code} passes, and took another path than the one recorded: the program has changed since, or is not deterministic, or its options are others`,
      );
    }
  });
}
