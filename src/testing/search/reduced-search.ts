import { areDependent, type Footprint, Footprints, isForced } from "../engine/footprints.js";
import type { Ready } from "../engine/ready.js";
import type { Scheduler, Ways } from "../engine/scheduler.js";
import type { Trace } from "../engine/trace.js";
import type { Search } from "./search.js";

/** A choice point on the path that is being searched. */
interface Node {
  /** The step that is chosen here; `undefined` for a choice of the program itself. */
  readonly step: number | undefined;
  readonly ways: number;
  /** The ways by which something has to be tried. */
  readonly wanted: Set<number>;
  /** Those that have been, with what the step touched that they began with. */
  readonly tried: Map<number, Footprint | undefined>;
  /** Those of which another path has seen everything. */
  readonly asleep: Map<number, Footprint | undefined>;
  /** How many objects had numbers here. */
  readonly known: number;
  way: number;
  /** What could have gone on, in the run that has just been here; `undefined`: time. */
  ready: readonly (Ready | undefined)[];
}

/**
 * Every outcome there is, without schedules that differ only in the order of steps which touch nothing in common: source-sets dynamic partial order
 * reduction, with sleep sets. What a run has in conflict says what else is to be tried.
 *
 * Here a step, once it is ready, stays so: none makes another impossible. Of those that one task has ready at once, each is one of its own. With time races that time
 * passes is in conflict with every step, also where it is none because nothing is ready.
 *
 * Source: Abdulla, Aronis, Jonsson, Sagonas, Optimal Dynamic Partial Order Reduction (POPL 2014).
 */
export class ReducedSearch implements Search {
  readonly #nodes: Node[] = [];
  #isOver = false;
  #run: ReducedRun | undefined = undefined;
  /** The first step of the next run that has not been looked at. */
  #fresh = 0;

  next(): Scheduler | undefined {
    if (this.#isOver) return undefined;
    this.#run = new ReducedRun(this.#nodes);
    return this.#run;
  }

  ended(trace: Trace): void {
    const run = this.#run as ReducedRun;
    run.footprints.rest(false);
    this.#findRaces(trace, run);
    this.#backtrack(run.footprints.steps);
  }

  /** Whoever comes second of two steps in conflict has to come first in some run. */
  #findRaces({ entries }: Trace, { footprints, blockedAt }: ReducedRun): void {
    const { steps, barriers, passages } = footprints;
    const length = Math.min(steps.length, entries.length, blockedAt);
    const nodeOf = new Map<number, Node>();
    for (const node of this.#nodes) if (node.step !== undefined) nodeOf.set(node.step, node);
    const before: Uint8Array[] = [];
    const past: Past = { entries, steps, before };
    let barrier = 0;
    let begin = 0;
    for (let i = 0; i < length; i++) {
      for (; barrier < barriers.length && (barriers[barrier] as number) <= i; barrier++) {
        if (i > this.#fresh && passages.has(i)) findRacesWithTime(nodeOf, begin, i, past);
        begin = barriers[barrier] as number;
      }
      const mine = new Uint8Array(i);
      before.push(mine);
      // What is before the barrier is before it, and no race.
      mine.fill(1, 0, begin);
      const cause = (entries[i] as Ready).cause;
      for (let j = i - 1; j >= begin; j--) {
        if (mine[j] === 1) continue;
        const [one, later] = [steps[j] as Footprint, steps[i] as Footprint];
        const isCause = cause === j || isForced(one, later);
        if (!isCause && !areDependent(one, later)) continue;
        mine[j] = 1;
        for (let k = begin; k < j; k++) if ((before[j] as Uint8Array)[k] === 1) mine[k] = 1;
        if (!isCause && i >= this.#fresh) want(nodeOf.get(j), j, i, past);
      }
    }
  }

  /** The deepest point at which something is left to be tried. */
  #backtrack(steps: readonly Footprint[]): void {
    for (let node = this.#nodes.at(-1); node !== undefined; node = this.#nodes.at(-1)) {
      node.tried.set(node.way, node.step === undefined ? undefined : steps[node.step]);
      for (const way of node.wanted) {
        if (node.tried.has(way) || node.asleep.has(way)) continue;
        node.way = way;
        this.#fresh = node.step ?? 0;
        return;
      }
      this.#nodes.pop();
    }
    this.#isOver = true;
  }
}

/** The steps of a run. */
interface Past {
  readonly entries: readonly Ready[];
  readonly steps: readonly Footprint[];
  /** By number of step: 1 for those that come before it in every run that differs only in the order of steps that touch nothing in common. */
  readonly before: readonly Uint8Array[];
}

/**
 * Before step `end` time passed because nothing was ready, and it might have sooner. That is no step, and in conflict with those since `begin`: each has to come
 * after it in some run, and before it those that need not come after that step.
 */
function findRacesWithTime(nodeOf: ReadonlyMap<number, Node>, begin: number, end: number, past: Past): void {
  const isCovered = new Uint8Array(end);
  for (let j = end - 1; j >= begin; j--) {
    if (isCovered[j] === 0) want(nodeOf.get(j), j, end, past, true);
    for (let k = begin; k < j; k++) if (past.before[j]?.[k] === 1) isCovered[k] = 1;
  }
}

/**
 * Wants a step tried at `node`, instead of step `j`, with which all begins that has to come first if step `i` is to come before `j`; with `isTime`, if time is to pass.
 */
function want(node: Node | undefined, j: number, i: number, { entries, steps, before }: Past, isTime = isPassing(entries[i])): void {
  if (node === undefined) return;
  const isAfter = (later: number, earlier: number) => (before[later] as Uint8Array)[earlier] === 1;
  // What of the run is not after step `j`, and step `i`: which of these comes after none of the others?
  const without: number[] = [];
  for (let k = j + 1; k < i; k++) if (!isAfter(k, j)) without.push(k);
  if (!isTime) without.push(i);
  // Time passes after all of them, if there is a timer then; by itself it is tried wherever it may.
  else if (without.length === 0 || !(isTimed(node) || without.some((k) => steps[k]?.setsTimer === true))) return;
  const firsts: number[] = [];
  for (const k of without) {
    if (without.some((other) => other < k && isAfter(k, other))) continue;
    const way = node.ready.indexOf(isPassing(entries[k]) ? undefined : entries[k]);
    if (way >= 0) firsts.push(way);
  }
  if (firsts.some((way) => node.wanted.has(way))) return;
  const first = firsts.find((way) => !node.asleep.has(way)) ?? firsts[0];
  if (first !== undefined) node.wanted.add(first);
  else for (let way = 0; way < node.ways; way++) node.wanted.add(way);
}

/** Whether that time passes is one of the ways. */
function isTimed({ ready }: Node): boolean {
  return ready.at(-1) === undefined;
}

/** Whether a step is that time passes. */
function isPassing(entry: Ready | undefined): boolean {
  return entry !== undefined && entry.task.node === undefined && entry.task.id < 0;
}

/** One run: along the path as far as it goes, then on by itself, which makes the path longer. */
class ReducedRun implements Scheduler {
  readonly base = "run";
  readonly footprints = new Footprints();
  /** From this step on others have seen everything that comes. */
  blockedAt = Number.POSITIVE_INFINITY;
  readonly #nodes: Node[];
  #at = 0;
  #steps = 0;
  /** What is asleep since the last point on the path. */
  #asleep: Map<Ready | undefined, Footprint | undefined> = new Map();
  #known = 0;
  /** Steps that have been compared with those that are asleep. */
  #compared = 0;

  constructor(nodes: Node[]) {
    this.#nodes = nodes;
  }

  choose(ways: Ways): number {
    const ready = Array.from({ length: ways.count }, (_, way) => ways.at(way));
    let node = this.#nodes[this.#at++];
    if (node === undefined) this.#wake();
    const step = this.#steps++;
    if (node === undefined) {
      const asleep = new Map<number, Footprint | undefined>();
      for (const [sleeper, footprint] of this.#asleep) asleep.set(ready.indexOf(sleeper), footprint);
      const way = ready.findIndex((_, i) => !asleep.has(i));
      if (way < 0 || step >= this.blockedAt) {
        this.blockedAt = Math.min(this.blockedAt, step);
        this.#at--;
        return 0;
      }
      const known = this.footprints.known;
      const wanted = new Set([way]);
      // A timer may be cleared before time passes by itself; then no race would say that it could come here.
      node = { step, ways: ways.count, wanted, tried: new Map(), asleep, known, way, ready };
      if (isTimed(node)) wanted.add(ready.length - 1);
      this.#nodes.push(node);
    } else node.ready = ready;
    this.#asleep = new Map();
    for (const [way, footprint] of [...node.asleep, ...node.tried]) if (way !== node.way) this.#asleep.set(ready[way], footprint);
    this.#known = node.known;
    this.#compared = step;
    return node.way;
  }

  pick(n: number): number {
    let node = this.#nodes[this.#at++];
    if (node === undefined) {
      if (this.#steps > this.blockedAt) {
        this.#at--;
        return 0;
      }
      const wanted = new Set(Array.from({ length: n }, (_, way) => way));
      node = { step: undefined, ways: n, wanted, tried: new Map(), asleep: new Map(), known: 0, way: 0, ready: [] };
      this.#nodes.push(node);
    }
    return node.way;
  }

  passed(ready: Ready): void {
    this.#wake();
    // There is no other way, and another path has seen this one.
    if (this.#asleep.has(ready)) this.blockedAt = Math.min(this.blockedAt, this.#steps);
    this.#steps++;
  }

  /** A step that is in conflict with one that sleeps makes that worth trying again. */
  #wake(): void {
    const { steps } = this.footprints;
    for (; this.#compared < this.#steps; this.#compared++) {
      const taken = steps[this.#compared];
      for (const [sleeper, footprint] of this.#asleep) {
        if (taken === undefined || footprint === undefined || areDependent(footprint, taken, this.#known)) this.#asleep.delete(sleeper);
      }
    }
  }
}
