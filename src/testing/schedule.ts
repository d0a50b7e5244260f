import { UsageError } from "../index.js";
import type { Departures } from "./engine/departures.js";
import { Session } from "./engine/session.js";
import type { TrialResult } from "./engine/trial.js";
import { timelineOf } from "./report/timeline.js";
import { encode } from "./search/schedule-code.js";
import { type Plan, planText, schedulerOf } from "./search/schedule-plan.js";
import type { SimBody } from "./sim.js";
import type { SimOptions } from "./sim-options.js";
import { failureOf } from "./simulate.js";

/** One schedule as a value: generated, by `schedule()` of creche/testing/fast-check, or fixed. Static data, so that what fast-check makes of it depends on no run. */
export interface Schedule {
  /**
   * Runs the body in virtual time under this schedule, once; it may be called again. Resolves to `undefined`, whatever the body returns: fast-check takes any
   * other value as a property that fails.
   *
   * @throws ScheduleFailure as `simulate` does
   */
  run(body: SimBody): Promise<void>;
  /**
   * The schedule as text, for `replay` and `fixedSchedule`: that of the last run, with its checksum.
   *
   * @throws UsageError if a random one has not been run yet: what it does depends on the program
   */
  readonly replay: string;
}

const CLONE: unique symbol = Symbol.for("fast-check/cloneMethod") as never;
const TO_STRING: unique symbol = Symbol.for("fast-check/toStringMethod") as never;

type LastRun = Pick<TrialResult<unknown>, "trace" | "finding"> & { readonly code: string };

/** A plan that can be run. A clone has the record of what it was cloned from: fast-check prints a clone of the value that failed. */
export class PlannedSchedule implements Schedule {
  readonly plan: Plan;
  readonly #options: SimOptions;
  /** As it was given, before the first run. */
  readonly #code: string | undefined;
  #last: LastRun | undefined = undefined;

  constructor(plan: Plan, options: SimOptions, code?: string) {
    this.plan = plan;
    this.#options = options;
    this.#code = code;
  }

  async run(body: SimBody): Promise<void> {
    this.#last = undefined;
    const session = await Session.open("schedule.run()", body, this.#options, true);
    try {
      const scheduler = schedulerOf(this.plan);
      const result = await session.trial(scheduler);
      const finding = result.finding ?? (await session.leftover());
      const { trace } = result;
      const departures: Departures = { ...session.departures, base: scheduler.base, picks: trace.picks };
      const code = encode(departures, trace.checksum);
      this.#last = { trace, finding, code };
      if (finding !== undefined) throw failureOf({ ...result, finding }, code, []);
    } finally {
      session.close();
    }
  }

  get replay(): string {
    const code = this.#last?.code ?? this.#code;
    if (code !== undefined) return code;
    if ("base" in this.plan) return this.#planned(this.plan.base, this.plan.picks);
    throw new UsageError("what this schedule is as text depends on the program that it is for: ask when it has been run");
  }

  toString(): string {
    const last = this.#last;
    if (last === undefined && this.#code === undefined && !("base" in this.plan)) return `schedule(${planText(this.plan)})`;
    const timeline = last?.finding === undefined ? "" : `\n${timelineOf(last.trace.steps)}\n`;
    return `fixedSchedule("${this.replay}")${timeline}`;
  }

  [CLONE](): PlannedSchedule {
    const clone = new PlannedSchedule(this.plan, this.#options, this.#code);
    clone.#last = this.#last;
    return clone;
  }

  [TO_STRING](): string {
    return this.toString();
  }

  /** Without a checksum: any run will do. */
  #planned(base: Departures["base"], picks: Departures["picks"]): string {
    const { timeRaces = true, seed = 0 } = this.#options;
    return encode({ base, timeRaces, seed: seed | 0, picks }, 0).replace(/#.*$/, "");
  }
}
