import { currentTask } from "../../kernel/current.js";
import { describe } from "../../kernel/describe.js";
import { ENDED } from "../../kernel/flags.js";
import type { Parked } from "../../kernel/park.js";
import type { Runtime, Timer } from "../../kernel/runtime.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { TimerHeap } from "../../kernel/timer-heap.js";
import type { Cancellable } from "../../kernel/types.js";
import { PlainWaiter, type Waiter } from "../../kernel/waiter.js";
import { Externals } from "./externals.js";
import type { Footprints } from "./footprints.js";
import { Names } from "./names.js";
import type { Observer } from "./observer.js";
import { Random } from "./random.js";
import type { Ready, SimTask } from "./ready.js";
import { ReadyQueue } from "./ready-queue.js";
import { baseScheduler, type Scheduler } from "./scheduler.js";
import type { SimulatedRuntimeOptions } from "./simulated-runtime-options.js";
import { siteHere } from "./site-here.js";
import { Trace } from "./trace.js";

export type { Observer } from "./observer.js";

/** Refusals of a cancelled task within one step; more are steps of their own, so that code which goes on and on is found out. */
const FREE_REFUSALS = 16;
/** What it is said to do. */
const REFUSED = "go on, cancelled";
/** What is said of one that goes no further. */
const STOPPED = "stopped, because it went on";

/**
 * Virtual time, and one wake-up at a time: `wake` only queues, and nothing goes on until `step` is called. Two runs of a program that has nothing foreign
 * in it are the same, step by step.
 */
export class SimulatedRuntime implements Runtime {
  readonly names = new Names();
  readonly trace = new Trace(this.names);
  readonly #heap = new TimerHeap();
  readonly #random: Random;
  readonly #options: SimulatedRuntimeOptions;
  /** Who watches the run, and interferes. @internal */
  observer: Observer | undefined;
  /** What each step touches, if the schedule asks for it. */
  readonly #footprints: Footprints | undefined;
  #scheduler: Scheduler;
  #now: number;
  readonly #ready = new ReadyQueue();
  /** Waits for a moment at which nothing is ready. */
  readonly #idle: Parked<void>[] = [];
  readonly #externals = new Externals();
  #last: SimTask | undefined = undefined;
  /** The one whose code runs before the first step. */
  #main: SimTask | undefined = undefined;
  #refusals = 0;
  /** Tasks that have nothing parked. Those of them that have not ended by the end of a step await something foreign. */
  readonly #loose = new Set<SimTask>();
  readonly #time: Ready;

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    this.observer = options.observer;
    this.observer?.begins?.(this);
    this.#scheduler = options.scheduler;
    this.#footprints = options.scheduler.footprints;
    this.#footprints?.attach(this.names, this.trace);
    this.#now = options.startTime;
    this.#random = new Random(options.seed);
    const task: SimTask = { id: -1, name: "time", node: undefined, parked: 0, foreign: 0, lastOp: "", rawSince: undefined };
    this.#time = { task, op: "time passes", on: undefined, cause: -1, site: undefined, release: () => this.#advance() };
  }

  runBegan(): void {}

  runEnded(): void {}

  now(): number {
    return this.#now;
  }

  /** The task that took the last step: whose code runs, if any does. */
  get last(): SimTask | undefined {
    return this.#last;
  }

  /** The name of the task of `scope`, or of the ambient one; where there is none, of the one whose code runs. @internal */
  taskName(scope: Cancellable | undefined): string {
    try {
      return this.names.taskOf(currentTask(scope)).name;
    } catch {
      return (this.#last ?? this.#main)?.name ?? "outside";
    }
  }

  /** Begins to be watched in the middle of a run. False if it is already. @internal */
  observe(observer: Observer): boolean {
    if (this.observer !== undefined) return false;
    this.observer = observer;
    observer.begins?.(this);
    return true;
  }

  start<T extends ScopeNode>(node: T): Promise<T> {
    const task = this.#parking(node);
    this.#footprints?.touch(node._parent);
    return new Promise((resolve) => {
      this.#queue(task, "start", undefined, undefined, () => resolve(node));
    });
  }

  pause<T>(scope: ScopeNode, op: string, on: object | undefined, result?: T): Promise<T> {
    const waiter = new PlainWaiter<T>(op, on);
    const promise = scope._park(waiter);
    waiter.wake(result as T);
    return promise;
  }

  random(): number {
    this.#footprints?.touch(RANDOM);
    return this.#random.next();
  }

  /** A refused operation takes no step, unless there is no end of them. */
  turn(): Promise<void> | undefined {
    const mayGoOn = this.observer?.refused?.() !== false;
    const task = this.#last ?? this.#main;
    if (task === undefined || (mayGoOn && ++this.#refusals <= FREE_REFUSALS)) return undefined;
    if (!mayGoOn) return task.node?._park(new PlainWaiter(STOPPED, undefined)) ?? new Promise(() => {});
    this.#hold(task);
    return new Promise((resolve) => {
      this.#queue(task, REFUSED, undefined, undefined, resolve);
    });
  }

  park(waiter: Waiter<unknown>): void {
    const task = this.names.taskOf(waiter._scope);
    // What ends it comes from outside, as if the task awaited that by itself.
    if (!waiter.isForeign) this.#hold(task);
    else {
      task.foreign++;
      this.#loose.add(task);
    }
    this.#footprints?.touch(waiter.on);
    task.lastOp = waiter.op;
    if (this.#options.sites) sites.set(waiter, siteHere());
    this.observer?.parked?.(waiter);
  }

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean): void {
    const task = this.names.taskOf(waiter._scope);
    if (waiter.isForeign) {
      task.foreign--;
      this.#hold(task);
    }
    this.#footprints?.woke(waiter, failed);
    this.#queue(task, waiter.op, waiter.on, this.#options.sites ? sites.get(waiter) : undefined, () => waiter.settle(value, failed));
  }

  setTimer(timer: Timer): void {
    this.#footprints?.timed();
    this.#heap.set(timer);
  }

  clearTimer(timer: Timer): void {
    this.#heap.clear(timer);
  }

  poll(scope?: ScopeNode): void {
    if (this.#heap.earliest() <= this.#now) this.#heap.fire(this.#now);
    if (scope !== undefined) this.observer?.entering?.(scope);
  }

  /** The body begins to run in `scope`, without a step that would have let it. */
  began(scope: ScopeNode): void {
    const task = this.names.taskOf(scope);
    this.#main ??= task;
    if (task.parked === 0) this.#loose.add(task);
  }

  /** A wait that is over when nothing else is ready, before time passes. @internal */
  idled(waiter: Parked<void>): void {
    this.#idle.push(waiter);
  }

  /** Waits for something foreign that was declared. @internal */
  external<T>(promise: PromiseLike<T>, label: string | undefined, scope: Cancellable | undefined): Promise<T> {
    return this.#externals.wait(promise, label, scope);
  }

  /** How many declared foreign promises are waited for. */
  get externals(): number {
    return this.#externals.pending;
  }

  /** A choice of the program itself. */
  pick(n: number, what: "choice" | "fault"): number {
    if (what === "fault") this.#footprints?.touch(FAULT);
    const pick = n === 1 ? 0 : this.#checked(this.#scheduler.pick(n, what), n);
    if (n > 1) this.trace.chose(n, pick);
    return pick;
  }

  /** How many wake-ups are ready. */
  get size(): number {
    return this.#ready.size;
  }

  get hasTimers(): boolean {
    return this.#heap.earliest() !== Number.POSITIVE_INFINITY;
  }

  /** Releases one wake-up; if there is none, jumps to the next timer. False if nothing can happen any more. */
  step(): boolean {
    this.#footprints?.rest(this.size === 0, this.#options.timeRaces && this.hasTimers);
    this.poll();
    while (this.size === 0) {
      if (this.#externals.deliver()) continue;
      const idle = this.#idle.shift();
      if (idle !== undefined) idle.wake(undefined);
      else if (this.externals > 0) return false;
      else if (this.hasTimers) this.#advance();
      else return false;
    }
    this.#take();
    return true;
  }

  /** Releases one wake-up without letting time pass. False if there is none. */
  flush(): boolean {
    this.#footprints?.rest(this.size === 0);
    if (this.size === 0) return false;
    this.#take();
    return true;
  }

  /** Tasks that wait for nothing that the library knows of. To be asked when no code runs. */
  get loose(): readonly SimTask[] {
    if (this.#loose.size === 0) return NONE;
    const loose: SimTask[] = [];
    for (const task of this.#loose) {
      if (task.node === undefined || (task.node._flags & ENDED) !== 0) this.#loose.delete(task);
      else loose.push(task);
    }
    return loose;
  }

  /** Something looks at every state that there is between steps. */
  watchesStates(): void {
    this.#footprints?.touchAllAlways();
  }

  /** The order of what is left is the simplest. */
  endInOrder(): void {
    this.#scheduler = FIFO;
  }

  #parking(scope: ScopeNode | undefined): SimTask {
    const task = this.names.taskOf(scope);
    this.#hold(task);
    return task;
  }

  #hold(task: SimTask): void {
    task.parked++;
    task.rawSince = undefined;
    if (task.foreign === 0 && this.#loose.size > 0) this.#loose.delete(task);
  }

  #queue(task: SimTask, op: string, on: object | undefined, site: string | undefined, release: () => void): void {
    this.#ready.push({ task, op, on, cause: this.trace.length - 1, site, release });
  }

  #advance(): void {
    this.#now = Math.max(this.#now, this.#heap.earliest());
    this.poll();
  }

  #take(): void {
    if (this.trace.length === this.#options.fairAfter) this.endInOrder();
    this.#refusals = 0;
    const queue = this.#ready;
    queue.arrange(this.#scheduler.base, this.#last, this.#options.timeRaces && this.hasTimers);
    const ways = queue.count;
    const choice = ways === 1 ? 0 : this.#checked(this.#scheduler.choose(queue), ways);
    const ready = queue.at(choice);
    if (ready === undefined) {
      this.trace.stepped(this.#time, this.#now, ways, choice);
      this.#footprints?.begin(this.#time);
      this.#time.release();
      return;
    }
    if (ways === 1) this.#scheduler.passed?.(ready);
    queue.remove(ready);
    const { task } = ready;
    this.#last = task;
    if (--task.parked === 0) this.#loose.add(task);
    this.trace.stepped(ready, this.#now, ways, choice);
    this.#footprints?.begin(ready);
    ready.release();
  }

  /** A schedule that goes wrong is not asked again: what is left ends in order. */
  #checked(way: number, n: number): number {
    if (Number.isInteger(way) && way >= 0 && way < n) return way;
    this.endInOrder();
    throw new RangeError(
      `the schedule chose ${describe(way)} of ${n}: it is to say which ready wake-up goes on, an integer from 0 to ${n - 1}`,
    );
  }
}

/** What steps share that draw from it. */
const RANDOM = {};
const FAULT = {};
const NONE: readonly SimTask[] = [];
const FIFO = baseScheduler("fifo");
/** Where waits began. */
const sites = new WeakMap<Waiter<unknown>, string | undefined>();
