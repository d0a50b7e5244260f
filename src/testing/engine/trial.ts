import { type Nursery, run } from "../../index.js";
import { listenerCount } from "../../kernel/foreign-signal.js";
import type { RunOptions } from "../../kernel/run.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { waitGraph } from "../../kernel/wait-graph.js";
import { LivelockError } from "../errors/livelock-error.js";
import { UncontrolledAwaitError } from "../errors/uncontrolled-await-error.js";
import { SimWaitGraph } from "../report/sim-wait-graph.js";
import type { SimBody } from "../sim.js";
import type { Leaks } from "../sim-options.js";
import { deadlockOf } from "./deadlock-of.js";
import { later, type SyncDrain } from "./drain.js";
import type { ExternalAwait } from "./external-await.js";
import { type FailureKind, type Finding, kindOf } from "./finding.js";
import { leaksOf } from "./leaks.js";
import type { SimTask } from "./ready.js";
import { activeResources, newResources } from "./resources.js";
import type { Scheduler } from "./scheduler.js";
import { SimController } from "./sim-controller.js";
import { type Observer, SimulatedRuntime } from "./simulated-runtime.js";
import type { Trace } from "./trace.js";

/** Real milliseconds in which nothing was in flight, after which a task is taken to wait for another one's promise. */
const RAW_AFTER = 3;

/** How one run is made. All of it is decided: see `SimOptions` for what each is. */
export interface TrialOptions {
  readonly scheduler: Scheduler;
  readonly startTime: number;
  readonly timeRaces: boolean;
  readonly maxSteps: number;
  readonly external: "settle" | "fail";
  readonly settleMs: number;
  /** How steps come to rest at once; `undefined`: by turns of the event loop. */
  readonly drain: SyncDrain | undefined;
  readonly seed: number;
  readonly sites: boolean;
  readonly leaks: Leaks;
  readonly observer?: Observer | undefined;
  readonly run: RunOptions;
  /** What was open before; see `activeResources`. */
  readonly resources: readonly string[];
  /** Tasks that have been found to wait for one another's promises, by name and last operation: there is no use in waiting for them again. */
  readonly knownRaw: Set<string>;
}

/** What became of one run. */
export interface TrialResult<T> {
  readonly finding: Finding | undefined;
  /** What the body returned, if it did. */
  readonly value: T | undefined;
  readonly runtime: SimulatedRuntime;
  readonly trace: Trace;
  readonly externals: readonly ExternalAwait[];
}

interface Awaiting {
  readonly tasks: readonly SimTask[];
  /** In real time. */
  readonly since: number;
  readonly resources: readonly string[];
  /** Since when none is in flight. */
  readonly quietSince: number | undefined;
}

/** One run of a body under one schedule. A run that fails is cancelled, so that it can clean up, in the simplest order; what does not end then is abandoned. */
export class Trial<T> {
  readonly #options: TrialOptions;
  readonly #runtime: SimulatedRuntime;
  readonly #sim: SimController;
  readonly #externals: ExternalAwait[] = [];
  /** How many foreign signals were listened to before. */
  readonly #listeners = listenerCount();
  #root: Nursery | undefined = undefined;
  #outcome: Promise<T> | undefined = undefined;
  #isOver = false;
  #finding: Finding | undefined = undefined;
  /** When it was found that nothing goes on but what is foreign, in real time. */
  #stuckSince: number | undefined = undefined;
  /** What is awaited as part of the last step. */
  #awaited: Awaiting | undefined = undefined;
  #conclude: (result: TrialResult<T>) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  readonly #onTurn = (): void => this.#turn();

  constructor(options: TrialOptions) {
    this.#options = options;
    const { scheduler, startTime, timeRaces, seed, sites, maxSteps, observer } = options;
    this.#runtime = new SimulatedRuntime({ scheduler, startTime, timeRaces, seed, sites, fairAfter: maxSteps >> 1, observer });
    this.#sim = new SimController(this.#runtime);
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
      later(this.#onTurn);
    });
  }

  /** One turn of the event loop: steps, until they need another one. */
  #turn(): void {
    const { drain } = this.#options;
    try {
      drain?.begin();
      do {
        if (!this.#goOn()) {
          void this.#end().then(this.#conclude, this.#fail);
          return;
        }
      } while (drain?.drain() === true && this.#isControlled);
      later(this.#onTurn);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whether nothing foreign is waited for, which would need turns of the event loop. */
  get #isControlled(): boolean {
    return this.#awaited === undefined && this.#stuckSince === undefined && this.#runtime.externals === 0;
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
    const loose = runtime.loose;
    if (loose.length === 0) this.#settled();
    else if (this.#isForeign(loose)) return true;
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

  /** Whether tasks are to be waited for that await something foreign: as part of the step that they are in. */
  #isForeign(loose: readonly SimTask[]): boolean {
    const fresh = loose.filter((task) => !task.isRaw);
    if (fresh.length === 0) {
      this.#settled();
      return false;
    }
    const { external, settleMs, knownRaw } = this.#options;
    const tasks = fresh.map(labelOf);
    const now = performance.now();
    if (this.#awaited === undefined) {
      this.#awaited = { tasks: fresh, since: now, quietSince: undefined, resources: [] };
      if (external === "fail") this.#giveUp("external", new UncontrolledAwaitError(foreign(tasks, 'which `external: "fail"` forbids')));
      return true;
    }
    const resources = this.#inFlight();
    const quietSince = resources?.length === 0 ? (this.#awaited.quietSince ?? now) : undefined;
    this.#awaited = { ...this.#awaited, tasks: fresh, quietSince, resources: resources ?? [] };
    const waited = now - this.#awaited.since;
    const isQuiet = quietSince !== undefined && (now - quietSince >= RAW_AFTER || tasks.every((task) => knownRaw.has(task)));
    if (!isQuiet && waited < settleMs) return true;
    for (const task of fresh) task.isRaw = true;
    for (const task of tasks) knownRaw.add(task);
    this.#note(false);
    if (resources !== undefined && resources.length > 0) {
      const what = `and was not settled within ${settleMs} ms of real time${advice(resources)}`;
      this.#giveUp("external", new UncontrolledAwaitError(foreign(tasks, what)));
    }
    return true;
  }

  /** What was awaited is back. */
  #settled(): void {
    if (this.#awaited !== undefined) this.#note(true);
  }

  #note(settled: boolean): void {
    const { tasks, resources } = this.#awaited as Awaiting;
    this.#awaited = undefined;
    for (const { name, lastOp } of tasks) this.#externals.push({ task: name, after: lastOp, settled, resources });
  }

  #inFlight(): string[] | undefined {
    const now = activeResources();
    // Our own: the turn of the event loop that is waited for.
    return now && newResources(this.#options.resources, now).filter((type) => type !== "Immediate");
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
    const runtime = this.#runtime;
    return { finding: this.#finding, value, runtime, trace: runtime.trace, externals: this.#externals };
  }
}

function labelOf({ name, lastOp }: SimTask): string {
  return `${name}, after: ${lastOp}`;
}

function foreign(tasks: readonly string[], what: string): string {
  return `something that is not of this library was awaited, ${what}:\n  ${tasks.join("\n  ")}`;
}

/** What to use instead. */
function advice(resources: readonly string[]): string {
  if (resources.every((type) => type === "Timeout")) return ". Real timers do not follow virtual time: use sleep(ms)";
  return ` (in flight: ${[...new Set(resources)].join(", ")}). Pass what takes longer to sim.external()`;
}
