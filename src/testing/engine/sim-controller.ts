import { type Cancellable, type Nursery, park } from "../../index.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { requireDuration, requireFunction } from "../../kernel/validate.js";
import { InvariantError } from "../errors/invariant-error.js";
import { SimWaitGraph, type WaitGraph } from "../report/sim-wait-graph.js";
import { type SequencePoint, Sequencer } from "../sequencer.js";
import type { Bound, Sim } from "../sim.js";
import { Expectation } from "./expectation.js";
import type { Observer, SimulatedRuntime } from "./simulated-runtime.js";
import type { Step } from "./step.js";
import { watched } from "./watched.js";

/** The `Sim` of one run. */
export class SimController implements Sim {
  readonly #runtime: SimulatedRuntime;
  #root: Nursery | undefined = undefined;
  #sequencer: Sequencer | undefined = undefined;
  #hasFaulted = false;
  readonly #invariants: (() => void)[] = [];
  #expectations: Expectation[] = [];
  /** Something was cancelled or made to fail from outside the program. */
  #isCut = false;

  constructor(runtime: SimulatedRuntime) {
    this.#runtime = runtime;
  }

  /** The body begins. @internal */
  begin(root: Nursery): void {
    this.#root = root;
    this.#runtime.began(root);
  }

  get root(): Nursery {
    return this.#root as Nursery;
  }

  get signal(): AbortSignal {
    return this.root.signal;
  }

  now(): number {
    return this.#runtime.now();
  }

  random(): number {
    return this.#runtime.random();
  }

  choose(n: number, label = "choice"): number {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`sim.choose(${n}): there is something to choose from 1 on`);
    const pick = this.#runtime.pick(n, "choice");
    if (pick > 0) this.#runtime.trace.currentNotes.remarks.push(`${label}: ${pick} of ${n}`);
    return pick;
  }

  fault(label = "fault"): boolean {
    if (this.#hasFaulted) return false;
    this.#hasFaulted = this.#runtime.pick(2, "fault") === 1;
    if (this.#hasFaulted) this.#runtime.trace.currentNotes.remarks.push(`fault: ${label}`);
    return this.#hasFaulted;
  }

  external<T>(promise: PromiseLike<T>, label?: string, scope?: Cancellable): Promise<T> {
    if (typeof promise?.then !== "function") throw new TypeError("sim.external() takes the promise of something that goes on outside");
    return this.#runtime.external(promise, label, scope);
  }

  shared<T extends object>(name: string, value: T): T {
    return watched(name, value, this.#runtime.trace);
  }

  idle(scope?: Cancellable): Promise<void> {
    return park<void>((parked) => this.#runtime.idled(parked), { op: "idle" }, scope);
  }

  sequence(n: number, scope?: Cancellable): Promise<SequencePoint> {
    this.#sequencer ??= new Sequencer();
    return this.#sequencer.at(n, scope);
  }

  invariant(name: string, check: () => unknown): void {
    requireFunction(check, "sim.invariant()");
    this.#runtime.watchesStates();
    this.#invariants.push(() => {
      let isBroken: boolean;
      try {
        isBroken = check() === false;
      } catch (error) {
        throw new InvariantError(name, { cause: error });
      }
      if (isBroken) throw new InvariantError(name);
    });
  }

  eventually(name: string, check: () => boolean, bound: Bound = {}): void {
    requireFunction(check, "sim.eventually()");
    requireBound(bound);
    this.#runtime.watchesStates();
    if (!this.#isCut) this.#expectations.push(new Expectation(name, check, bound, this.#runtime));
  }

  waitGraph(): WaitGraph {
    let top: ScopeNode = this.root;
    while (top._parent !== undefined) top = top._parent;
    return new SimWaitGraph(top, this.#runtime.names, this.#runtime.loose);
  }

  get trace(): readonly Step[] {
    return this.#runtime.trace.steps;
  }

  /** The name of the task whose code runs, or of that of `scope`. @internal */
  _taskName(scope: Cancellable | undefined): string {
    return this.#runtime.taskName(scope);
  }

  /** How many steps were taken. @internal */
  get _steps(): number {
    return this.#runtime.trace.length;
  }

  /** Has the rest of the run watched, and interfered with. False if it is already. @internal */
  _observe(observer: Observer): boolean {
    return this.#runtime.observe(observer);
  }

  /** A step has come to rest. Throws what it has broken. @internal */
  afterStep(): boolean {
    for (const check of this.#invariants) check();
    if (this.#expectations.length > 0) this.#expectations = this.#expectations.filter((expectation) => !expectation.isMet());
    return true;
  }

  /** What was to come true may well not, from now on. @internal */
  expectNothing(): void {
    this.#isCut = true;
    this.#expectations = [];
  }

  /** The run is over, with success. What it has not brought about. @internal */
  atEnd(): Error | undefined {
    for (const expectation of this.#expectations) if (!expectation.isMet()) return expectation.failure("at the end of the run");
    return undefined;
  }
}

function requireBound({ steps, ms }: Bound): void {
  if (steps !== undefined && !(Number.isInteger(steps) && steps >= 0))
    throw new RangeError(`\`steps\` of sim.eventually() is an integer from 0, not ${steps}`);
  if (ms !== undefined) requireDuration(ms, "`ms` of sim.eventually()");
}
