import { ENDED } from "../../kernel/flags.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import type { Held } from "../../kernel/wait-graph.js";
import type { Waiter } from "../../kernel/waiter.js";
import type { Names } from "./names.js";
import type { Ready, SimTask } from "./ready.js";
import type { Trace } from "./trace.js";

/** What one step touches. Two steps of which neither touches what the other does may as well come in the other order. */
export interface Footprint {
  readonly task: SimTask;
  /** Objects of the library, by numbers in order of appearance. */
  readonly objects: Set<number>;
  /** Those that others may touch so as well, in any order: nurseries, by the normal ends of tasks. */
  readonly shared: Set<number>;
  /** Of what `sim.shared` declares. */
  reads: ReadonlySet<string>;
  writes: ReadonlySet<string>;
  /** Nothing is known of what it touches, so it is taken to touch everything. */
  isAll: boolean;
  /** It has set a timer, so that time may pass after it. */
  setsTimer: boolean;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * What the steps of one run touch: the objects of the library that its operations are about, those that its task holds or has used, and what was read and written of
 * declared state. A step that touches none of these counts as touching everything: what it does is not declared. So does one that cancels, and each of a run
 * in which states are looked at between the steps.
 */
export class Footprints {
  /** By number of step. */
  readonly steps: Footprint[] = [];
  /** Before these steps nothing was ready, so that they come after all that were before. */
  readonly barriers: number[] = [];
  /** Those of the barriers at which time could have passed sooner, while something was ready: that it passes there is in no step. */
  readonly passages = new Set<number>();
  #names: Names | undefined = undefined;
  #trace: Trace | undefined = undefined;
  #current: Footprint | undefined = undefined;
  #isAllAlways = false;
  readonly #ids = new Map<object, number>();
  /** What each task has used, without what it has to hold while it may go on to change it. */
  readonly #used = new Map<SimTask, Set<number>>();
  readonly #cancelled = new Set<SimTask>();
  readonly #held = new Set<Held>();

  /** The run begins. @internal */
  attach(names: Names, trace: Trace): void {
    this.#names = names;
    this.#trace = trace;
  }

  /** How many objects have numbers. */
  get known(): number {
    return this.#ids.size;
  }

  touchAllAlways(): void {
    this.#isAllAlways = true;
  }

  begin({ task, on }: Ready): void {
    this.#current = {
      task,
      objects: new Set(),
      shared: new Set(),
      reads: NOTHING,
      writes: NOTHING,
      isAll: this.#isAllAlways || task.node === undefined,
      setsTimer: false,
    };
    this.touch(on);
    this.#touchHeld();
  }

  touch(on: object | undefined): void {
    if (on === undefined) return;
    const id = this.#idOf(on);
    if ("_holders" in on) this.#held.add(on as Held);
    this.#current?.objects.add(id);
    if (this.#current !== undefined && !("_holders" in on)) this.#usedBy(this.#current.task).add(id);
  }

  woke(waiter: Waiter<unknown>, failed: boolean): void {
    // A nursery that is left when the last task ends: which one is the last makes no difference.
    if (waiter.on !== undefined && waiter.on === waiter._scope) this.#current?.shared.add(this.#idOf(waiter.on));
    else this.touch(waiter.on);
    // A cancellation reaches also what does not wait at the moment.
    if (failed && waiter._scope?._reason !== undefined && this.#current !== undefined) this.#current.isAll = true;
  }

  /** A timer is set: what time may do from now on depends on the order. */
  timed(): void {
    if (this.#current !== undefined) this.#current.setsTimer = true;
  }

  /** The step has come to rest. `isBarrier`: nothing is ready; `isPassage`: time could pass even if something were. */
  rest(isBarrier: boolean, isPassage = false): void {
    const current = this.#current;
    if (current !== undefined) this.#conclude(current);
    this.#current = undefined;
    if (!isBarrier) return;
    this.barriers.push(this.steps.length);
    if (isPassage) this.passages.add(this.steps.length);
  }

  #conclude(current: Footprint): void {
    const { task, objects } = current;
    this.#touchHeld();
    const notes = this.#trace?.notes.get(this.steps.length);
    current.reads = notes?.reads ?? NOTHING;
    current.writes = notes?.writes ?? NOTHING;
    if (objects.size === 0 && current.reads.size === 0 && current.writes.size === 0) current.isAll = true;
    for (const id of this.#usedBy(task)) objects.add(id);
    if (task.node !== undefined && (task.node._flags & ENDED) !== 0) this.#touchEnd(task.node, current);
    for (const other of (this.#names as Names).tasks) {
      const scope = other.node as ScopeNode | undefined;
      if (scope?._reason === undefined || this.#cancelled.has(other)) continue;
      this.#cancelled.add(other);
      current.isAll = true;
    }
    if (this.#isAllAlways) current.isAll = true;
    this.steps.push(current);
  }

  /** A failure cancels, and is told of elsewhere. */
  #touchEnd(node: ScopeNode, { objects, shared }: Footprint): void {
    objects.add(this.#idOf(node));
    if (node._parent !== undefined) shared.add(this.#idOf(node._parent));
  }

  /** What is held may be given back without a word: that is no operation that waits. */
  #touchHeld(): void {
    const { task, objects } = this.#current as Footprint;
    for (const held of this.#held) if (held._holders.some((holder) => holder._task === task.node)) objects.add(this.#idOf(held));
  }

  /** Numbers of their own: that they are given must not change the run. */
  #idOf(on: object): number {
    let id = this.#ids.get(on);
    if (id === undefined) {
      id = this.#ids.size + 1;
      this.#ids.set(on, id);
    }
    return id;
  }

  #usedBy(task: SimTask): Set<number> {
    let used = this.#used.get(task);
    if (used === undefined) {
      used = new Set();
      this.#used.set(task, used);
    }
    return used;
  }
}

/** Whether `later` has to come after `one`, and could not come before it: it leaves a nursery, a task of which `one` has ended. */
export function isForced(one: Footprint, later: Footprint): boolean {
  return meet(one.shared, later.objects, Number.POSITIVE_INFINITY) && !areInConflict(one, later, Number.POSITIVE_INFINITY);
}

/**
 * Whether two steps may not change places. `known`: objects with higher numbers may have got them in different runs, and so be the same under two numbers;
 * then they are taken to be.
 */
export function areDependent(one: Footprint, other: Footprint, known = Number.POSITIVE_INFINITY): boolean {
  return meet(one.shared, other.objects, known) || areInConflict(one, other, known);
}

function areInConflict(one: Footprint, other: Footprint, known: number): boolean {
  if (one.isAll || other.isAll) return true;
  if (known === Number.POSITIVE_INFINITY ? one.task === other.task : one.task.id === other.task.id) return true;
  if (meet(one.objects, other.objects, known) || meet(one.objects, other.shared, known)) return true;
  return overlap(one.writes, other.writes) || overlap(one.writes, other.reads) || overlap(one.reads, other.writes);
}

function meet(one: ReadonlySet<number>, other: ReadonlySet<number>, known: number): boolean {
  let isFresh = false;
  for (const id of one) {
    if (id > known) isFresh = true;
    else if (other.has(id)) return true;
  }
  if (isFresh) for (const id of other) if (id > known) return true;
  return false;
}

/** Whether there is a name in one that is in the other, or is part of one there, or has a part there. */
function overlap(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  for (const a of one) for (const b of other) if (a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)) return true;
  return false;
}
