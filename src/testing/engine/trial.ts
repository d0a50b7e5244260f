import { type Nursery, run } from "../../index.js";
import { listenerCount } from "../../kernel/foreign-signal.js";
import type { RunOptions } from "../../kernel/run.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { waitGraph } from "../../kernel/wait-graph.js";
import { LivelockError } from "../errors/livelock-error.js";
import { SimWaitGraph } from "../report/sim-wait-graph.js";
import type { SimBody } from "../sim.js";
import type { Leaks } from "../sim-options.js";
import { deadlockOf } from "./deadlock-of.js";
import { later, type SyncDrain } from "./drain.js";
import type { ExternalAwait } from "./external-await.js";
import { type FailureKind, type Finding, kindOf } from "./finding.js";
import { ForeignWaits, type ForeignWaitsOptions } from "./foreign-waits.js";
import { leaksOf } from "./leaks.js";
import type { Scheduler } from "./scheduler.js";
import { SimController } from "./sim-controller.js";
import { type Observer, SimulatedRuntime } from "./simulated-runtime.js";
import type { Trace } from "./trace.js";

/** How one run is made. All of it is decided: see `SimOptions` for what each is. */
export interface TrialOptions extends ForeignWaitsOptions {
  readonly scheduler: Scheduler;
  readonly startTime: number;
  readonly timeRaces: boolean;
  readonly maxSteps: number;
  /** How steps come to rest at once; `undefined`: by turns of the event loop. */
  readonly drain: SyncDrain | undefined;
  readonly seed: number;
  readonly sites: boolean;
  readonly leaks: Leaks;
  readonly observer?: Observer | undefined;
  readonly run: RunOptions;
}

/** What became of one run. */
export interface TrialResult<T> {
  readonly finding: Finding | undefined;
  /** What the body returned, if it did. */
  readonly value: T | undefined;
  readonly runtime: SimulatedRuntime;
  readonly trace: Trace;
  readonly externals: readonly ExternalAwait[];
  /** A task that others have gone on without, though it waited for none of them: the run may not be the same again. */
  readonly misjudged: string | undefined;
}

/** One run of a body under one schedule. A run that fails is cancelled, so that it can clean up, in the simplest order; what does not end then is abandoned. */
export class Trial<T> {
  readonly #options: TrialOptions;
  readonly #runtime: SimulatedRuntime;
  readonly #sim: SimController;
  readonly #foreign: ForeignWaits;
  /** How many foreign signals were listened to before. */
  readonly #listeners = listenerCount();
  #root: Nursery | undefined = undefined;
  #outcome: Promise<T> | undefined = undefined;
  #isOver = false;
  #finding: Finding | undefined = undefined;
  /** When it was found that nothing goes on but what is foreign, in real time. */
  #stuckSince: number | undefined = undefined;
  /** Whether the end of this turn is looked at as well, by a callback that was queued right behind it. */
  #isFollowed = false;
  #conclude: (result: TrialResult<T>) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  readonly #onTurn = (): void => this.#turn();
  readonly #onFollowing = (): void => this.#following();

  constructor(options: TrialOptions) {
    this.#options = options;
    const { scheduler, startTime, timeRaces, seed, sites, maxSteps, observer } = options;
    this.#runtime = new SimulatedRuntime({ scheduler, startTime, timeRaces, seed, sites, fairAfter: maxSteps >> 1, observer });
    this.#sim = new SimController(this.#runtime);
    this.#foreign = new ForeignWaits(options, (error) => this.#giveUp("external", error));
  }

  /** The controller that the body receives. */
  get sim(): SimController {
    return this.#sim;
  }

  run(body: SimBody<T>): Promise<TrialResult<T>> {
    const outcome = run(
      (root) => {
        this.#root = root;
        this.#sim.begin(root);
        return body(this.#sim);
      },
      { ...this.#options.run, detached: true, runtime: this.#runtime },
    );
    const over = () => {
      this.#isOver = true;
    };
    outcome.then(over, over);
    this.#outcome = outcome;
    return new Promise((resolve, reject) => {
      this.#conclude = resolve;
      this.#fail = reject;
      this.#next();
    });
  }

  /** Two callbacks that are queued together come one after the other, with nothing but microtasks between: what the first sets in motion is over in the second. */
  #next(): void {
    later(this.#onTurn);
    this.#isFollowed = this.#runtime.loose.some((task) => task.rawSince !== undefined);
    if (this.#isFollowed) later(this.#onFollowing);
  }

  /** One turn of the event loop: steps, until they need another one. */
  #turn(): void {
    const { drain } = this.#options;
    const isFollowed = this.#isFollowed;
    this.#isFollowed = false;
    try {
      drain?.begin();
      this.#foreign.turnBegins(this.#runtime.loose);
      do {
        if (!this.#goOn()) {
          void this.#end().then(this.#conclude, this.#fail);
          return;
        }
      } while (drain?.drain() === true && this.#isControlled);
      this.#isFollowed = isFollowed;
      if (!isFollowed) this.#next();
    } catch (error) {
      this.#fail(error);
    }
  }

  #following(): void {
    if (!this.#isFollowed) return;
    this.#foreign.stepIsOver(this.#runtime.loose, this.#runtime.trace.length);
    this.#next();
  }

  /** Whether nothing foreign is waited for, which would need turns of the event loop. */
  get #isControlled(): boolean {
    return !this.#foreign.isWaiting && this.#stuckSince === undefined && this.#runtime.externals === 0;
  }

  /** Everything is at rest: looks at what the last step has done, and takes the next one. False at the end. */
  #goOn(): boolean {
    if (this.#isOver) return this.#guarded(() => this.#runtime.flush());
    const runtime = this.#runtime;
    if (this.#finding === undefined) {
      this.#guarded(() => {
        runtime.observer?.rested?.();
        return this.#sim.afterStep();
      });
      const { length } = runtime.trace;
      if (length >= this.#options.maxSteps) this.#giveUp("livelock", new LivelockError(runtime.trace));
    } else if (runtime.trace.length >= 2 * this.#options.maxSteps) return false;
    if (this.#foreign.holdsUp(runtime.loose, runtime.trace.length)) return true;
    const went = this.#guarded(() => runtime.step());
    if (went) {
      this.#stuckSince = undefined;
      return true;
    }
    return this.#isStuck();
  }

  /** As `act`, and goes on after it if something was found wrong there. */
  #guarded(act: () => boolean): boolean {
    try {
      return act();
    } catch (error) {
      this.#giveUp(kindOf(error), error);
      return true;
    }
  }

  /** The first finding counts. What can still be cancelled is given the chance to clean up. */
  #giveUp(kind: FailureKind, error: unknown): void {
    this.#stuckSince = undefined;
    if (this.#finding === undefined) {
      const graph = this.#root === undefined ? undefined : this.#graph();
      this.#finding = { kind, error, graph };
      this.#runtime.trace.foundAt = this.#runtime.trace.length;
      this.#runtime.endInOrder();
    }
    this.#root?.cancel(error);
  }

  #graph(): SimWaitGraph {
    let top = this.#root as ScopeNode;
    while (top._parent !== undefined) top = top._parent;
    // Names go by the order of appearance in the run.
    for (const { on } of this.#runtime.trace.entries) this.#runtime.names.objectOf(on);
    return new SimWaitGraph(top, this.#runtime.names, this.#runtime.loose);
  }

  /** Nothing can go on by itself. False if that is the end. */
  #isStuck(): boolean {
    if (this.#runtime.externals > 0) return true;
    const graph = waitGraph(this.#root as Nursery);
    const isForeign = graph.elsewhere.length > 0;
    if (isForeign || graph.abandoned > 0) {
      this.#stuckSince ??= performance.now();
      if (performance.now() - this.#stuckSince < this.#options.settleMs) return true;
    }
    if (this.#finding !== undefined) return false;
    this.#giveUp(isForeign ? "external" : "deadlock", deadlockOf(graph, this.#options.settleMs));
    return true;
  }

  async #end(): Promise<TrialResult<T>> {
    let value: T | undefined;
    if (this.#isOver) {
      try {
        value = (await this.#outcome) as T;
      } catch (error) {
        if (this.#runtime.observer?.expects?.(error) !== true) this.#finding ??= { kind: kindOf(error), error, graph: undefined };
      }
    } else (this.#outcome as Promise<T>).catch(() => {});
    // The last step was followed by no other: what it broke has not been looked for.
    if (this.#finding === undefined) this.#guarded(() => this.#sim.afterStep());
    if (this.#finding === undefined) {
      const error = this.#sim.atEnd() ?? leaksOf(this.#runtime, this.#options.leaks, listenerCount() - this.#listeners);
      if (error !== undefined) this.#finding = { kind: kindOf(error), error, graph: undefined };
    }
    const [runtime, foreign] = [this.#runtime, this.#foreign];
    return { finding: this.#finding, value, runtime, trace: runtime.trace, externals: foreign.noted, misjudged: foreign.misjudged };
  }
}
