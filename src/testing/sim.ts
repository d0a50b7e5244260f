import type { Nursery } from "../kernel/nursery.js";
import type { Awaitable, Cancellable } from "../kernel/types.js";
import type { Step } from "./engine/step.js";
import type { WaitGraph } from "./report/sim-wait-graph.js";
import type { SequencePoint } from "./sequencer.js";

/** What `sim.eventually` grants: after so much of a fair order it must have come true. */
export interface Bound {
  /** Default: until the end of the run. */
  readonly steps?: number | undefined;
  /** Virtual milliseconds. Default: no bound. */
  readonly ms?: number | undefined;
}

/** The controller of a simulated run, which its body receives. It goes wherever a scope goes: then it is `root`. */
export interface Sim extends Cancellable {
  /** The nursery in which the body runs. What it starts there has ended when the run is over. */
  readonly root: Nursery;
  readonly signal: AbortSignal;
  /** Virtual time, in ms: that of `now()`. */
  now(): number;
  /** A number from 0 to below 1, the same in each run of a schedule. Use it where the program would use `Math.random()`. */
  random(): number;
  /** An integer from 0 to `n - 1`, chosen by the schedule: which replica answers, for example. The default order chooses 0, and failures are reduced towards it. */
  choose(n: number, label?: string): number;
  /** True at most once a run, where the schedule says so: throw a fault of your own there. The default order has none. */
  fault(label?: string): boolean;
  /** Declares a foreign promise. While it is pending its task waits for real I/O, so that neither a deadlock is reported nor time passes. */
  external<T>(promise: PromiseLike<T>, label?: string, scope?: Cancellable): Promise<T>;
  /** An observer of `value`: what is read and written through it is shown in reports, and tells searches which steps are independent. */
  shared<T extends object>(name: string, value: T): T;
  /** Waits until every other task waits. Virtual time does not pass meanwhile. */
  idle(scope?: Cancellable): Promise<void>;
  /** Waits for its turn in an order that the test says: place `n` is entered when place `n - 1` has been left. */
  sequence(n: number, scope?: Cancellable): Promise<SequencePoint>;
  /** Must not throw, nor return `false`: asked after every step. */
  invariant(name: string, check: () => unknown): void;
  /** Must return true sooner or later: asked after every step, until it does. */
  eventually(name: string, check: () => boolean, bound?: Bound): void;
  /** Who waits on what, now. */
  waitGraph(): WaitGraph;
  /** The steps so far. Each access makes a new list. */
  readonly trace: readonly Step[];
}

/** What is run under a schedule. */
export type SimBody<T = unknown> = (sim: Sim) => Awaitable<T>;
