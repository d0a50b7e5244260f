import { Arbitrary, type Random, Stream, Value } from "fast-check";
import { PlannedSchedule, type Schedule } from "../schedule.js";
import { FIFO, type Plan, RUN, simplerPlans } from "../search/schedule-plan.js";
import type { SimOptions } from "../sim-options.js";

export interface ScheduleOptions {
  /** How many choice points of a program may be departed from by a single preemption. More make reduction slower. Default 100. */
  readonly maxPoints?: number | undefined;
  /** How the runs are made. */
  readonly sim?: Omit<SimOptions, "base"> | undefined;
}

/**
 * Schedules for properties: first in, first out; each task until it waits; that with some preemptions; and random ones of several kinds.
 *
 * They shrink, in this order, to: first in, first out; each task until it waits; that with one preemption, the earliest there is; fewer departures; earlier
 * ones. Nothing of that depends on a run, so that `{ seed, path }` replays a failure. The counterexample is printed as a `fixedSchedule` with its timeline.
 *
 * @throws RangeError if `maxPoints` is no integer from 1
 * @example
 * await fc.assert(
 *   fc.asyncProperty(fc.array(command), schedule(), (commands, s) =>
 *     s.run(async (sim) => {
 *       for (const command of commands) sim.root.startSoon(() => command());
 *     }),
 *   ),
 * );
 */
export function schedule({ maxPoints = 100, sim = {} }: ScheduleOptions = {}): Arbitrary<Schedule> {
  if (!(Number.isInteger(maxPoints) && maxPoints >= 1))
    throw new RangeError(`\`maxPoints\` of schedule() is an integer from 1, not ${maxPoints}`);
  return new ScheduleArbitrary(maxPoints, sim);
}

/** What a value was made for; `true`: by leaving something out of another one. */
type Context = boolean | undefined;

class ScheduleArbitrary extends Arbitrary<Schedule> {
  readonly #points: number;
  readonly #sim: SimOptions;

  constructor(points: number, sim: SimOptions) {
    super();
    this.#points = points;
    this.#sim = sim;
  }

  override generate(random: Random): Value<Schedule> {
    return this.#valueOf(this.#plan(random), false);
  }

  override canShrinkWithoutContext(value: unknown): value is Schedule {
    return value instanceof PlannedSchedule;
  }

  override shrink(value: Schedule, context: unknown): Stream<Value<Schedule>> {
    const { plan } = value as PlannedSchedule;
    return new Stream(this.#simpler(plan, (context as Context) === true));
  }

  *#simpler(plan: Plan, isReduced: boolean): Generator<Value<Schedule>> {
    for (const each of simplerPlans(plan, this.#points, isReduced)) yield this.#valueOf(each.plan, each.isReduced);
  }

  #valueOf(plan: Plan, isReduced: boolean): Value<Schedule> {
    return new Value<Schedule>(new PlannedSchedule(plan, this.#sim), isReduced);
  }

  #plan(random: Random): Plan {
    const kind = random.nextInt(0, 15);
    if (kind === 0) return FIFO;
    if (kind === 1) return RUN;
    if (kind <= 5) return { base: "run", picks: this.#picks(random) };
    const seed = random.nextInt(-0x80000000, 0x7fffffff);
    const sampled = { seed, limit: Number.POSITIVE_INFINITY, gaps: [] };
    return { ...sampled, kind: kind <= 9 ? "pos" : kind <= 12 ? "pct" : "random" };
  }

  /** One to three, early rather than late: many programs have few choices. */
  #picks(random: Random): readonly (readonly [number, number])[] {
    const points = new Set<number>();
    for (let count = random.nextInt(1, 3); count > 0; count--) points.add(random.nextInt(0, random.nextInt(0, this.#points - 1)));
    return [...points].sort((one, other) => one - other).map((point) => [point, random.nextInt(1, 3)] as const);
  }
}
