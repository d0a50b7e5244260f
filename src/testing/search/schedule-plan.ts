import { DepartureScheduler } from "../engine/departures.js";
import { Random } from "../engine/random.js";
import type { BaseOrder, Scheduler, Ways } from "../engine/scheduler.js";
import { PctScheduler } from "./pct-scheduler.js";
import { PosScheduler } from "./pos-scheduler.js";
import { RandomScheduler } from "./random-scheduler.js";

type Picks = readonly (readonly [point: number, pick: number])[];

/** A base order with departures from it. */
export interface DeparturePlan {
  readonly base: BaseOrder;
  readonly picks: Picks;
}

/** What a random scheduler chooses, at the choice points below `limit` that are in none of the `gaps`; elsewhere each task runs until it waits. */
export interface SampledPlan {
  readonly kind: "pos" | "pct" | "random";
  readonly seed: number;
  /** `Infinity`: everywhere. */
  readonly limit: number;
  readonly gaps: readonly (readonly [from: number, to: number])[];
}

/** A schedule as data, before anything is known of the program that it is for. What is simpler is made from it alone, too. */
export type Plan = DeparturePlan | SampledPlan;

/** How many choices a program is taken to have. */
const PCT_LENGTH = 40;
const PCT_DEPTH = 3;
/** In how many ways single preemptions are tried at each point: a larger number takes the last way that there is. */
const WAYS = 3;

export const FIFO: DeparturePlan = { base: "fifo", picks: [] };
export const RUN: DeparturePlan = { base: "run", picks: [] };

export function schedulerOf(plan: Plan): Scheduler {
  return "base" in plan ? new DepartureScheduler(plan) : new PartialScheduler(plan);
}

/** As in messages. */
export function planText(plan: Plan): string {
  if ("base" in plan) return `${plan.base} with ${plan.picks.length} departures`;
  const limit = plan.limit === Number.POSITIVE_INFINITY ? "" : `, up to choice ${plan.limit}`;
  const gaps = plan.gaps.length === 0 ? "" : `, without ${plan.gaps.map(([from, to]) => `${from}-${to - 1}`).join(", ")}`;
  return `${plan.kind} of seed ${plan.seed}${limit}${gaps}`;
}

/**
 * Plans that are simpler, the simplest first: first in, first out; each task until it waits; that with one preemption, the earliest first; then fewer
 * departures, and earlier ones. `isReduced`: the plan is of those last ones, so that the ones with one preemption have been tried.
 */
export function* simplerPlans(
  plan: Plan,
  points: number,
  isReduced: boolean,
): Generator<{ readonly plan: Plan; readonly isReduced: boolean }> {
  const simple = (each: Plan) => ({ plan: each, isReduced: false });
  if (isPlain(plan, "fifo")) return;
  yield simple(FIFO);
  if (isPlain(plan, "run")) return;
  yield simple(RUN);
  const single = singleOf(plan);
  if (single !== undefined || !isReduced) {
    const [lastPoint, lastPick] = single ?? [points, 1];
    for (let point = 0; point <= lastPoint; point++) {
      const end = point === lastPoint ? lastPick - 1 : WAYS;
      for (let pick = 1; pick <= end; pick++) yield simple({ base: "run", picks: [[point, pick]] });
    }
  }
  if (single !== undefined) return;
  for (const each of "base" in plan ? fewer(plan) : less(plan, points)) yield { plan: each, isReduced: true };
}

function isPlain(plan: Plan, base: BaseOrder): boolean {
  return "base" in plan && plan.base === base && plan.picks.length === 0;
}

function singleOf(plan: Plan): readonly [number, number] | undefined {
  return "base" in plan && plan.base === "run" && plan.picks.length === 1 ? plan.picks[0] : undefined;
}

function* fewer({ base, picks }: DeparturePlan): Generator<Plan> {
  for (let size = picks.length >> 1 || 1; picks.length > 1 && size >= 1; size >>= 1) {
    for (let end = picks.length; end > 0; end -= size) {
      yield { base, picks: [...picks.slice(0, Math.max(0, end - size)), ...picks.slice(end)] };
    }
  }
  for (let i = 0; i < picks.length; i++) {
    const [point, pick] = picks[i] as readonly [number, number];
    const replaced = (by: readonly [number, number]): Plan => ({ base, picks: [...picks.slice(0, i), by, ...picks.slice(i + 1)] });
    if (pick > 1) yield replaced([point, 1]);
    const first = i === 0 ? 0 : (picks[i - 1] as readonly [number, number])[0] + 1;
    const middle = (first + point) >> 1;
    if (middle < point - 1) yield replaced([middle, pick]);
    if (first < point) yield replaced([point - 1, pick]);
  }
}

/** Limits first; then gaps in what is below the limit. */
function* less(plan: SampledPlan, points: number): Generator<Plan> {
  const { limit, gaps } = plan;
  if (limit === Number.POSITIVE_INFINITY) {
    for (let most = 1; most <= points; most *= 2) yield { ...plan, limit: most };
    return;
  }
  for (let step = limit >> 1; step >= 1; step >>= 1) yield { ...plan, limit: limit - step };
  for (let size = limit >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < limit; from += size) {
      const gap = [from, Math.min(limit, from + size)] as const;
      if (gaps.some(([start, end]) => start <= gap[0] && gap[1] <= end)) continue;
      yield { ...plan, gaps: joined([...gaps, gap]) };
    }
  }
}

function joined(gaps: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const result: [number, number][] = [];
  for (const [from, to] of [...gaps].sort(([one], [other]) => one - other)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** Follows a random scheduler in places. */
class PartialScheduler implements Scheduler {
  readonly base = "run";
  readonly #inner: Scheduler;
  readonly #plan: SampledPlan;
  #point = 0;

  constructor(plan: SampledPlan) {
    const random = new Random(plan.seed);
    this.#plan = plan;
    this.#inner =
      plan.kind === "pos"
        ? new PosScheduler(random)
        : plan.kind === "pct"
          ? new PctScheduler(random, PCT_DEPTH, PCT_LENGTH)
          : new RandomScheduler(random);
  }

  choose(ways: Ways): number {
    const way = this.#inner.choose(ways);
    return this.#follows() ? way : 0;
  }

  pick(n: number, what: "choice" | "fault"): number {
    const pick = this.#inner.pick(n, what);
    return this.#follows() ? pick : 0;
  }

  #follows(): boolean {
    const point = this.#point++;
    const { limit, gaps } = this.#plan;
    return point < limit && !gaps.some(([from, to]) => from <= point && point < to);
  }
}
