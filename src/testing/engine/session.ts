import { UsageError } from "../../index.js";
import { nextTurn } from "../../kernel/next-turn.js";
import { requireDuration, requireFunction } from "../../kernel/validate.js";
import { LeakError } from "../errors/leak-error.js";
import type { SimBody } from "../sim.js";
import type { SimOptions } from "../sim-options.js";
import type { Departures } from "./departures.js";
import { SyncDrain } from "./drain.js";
import type { Finding } from "./finding.js";
import { QUIET_MS } from "./foreign-waits.js";
import { watchRejections } from "./rejections.js";
import { activeResources, newResources } from "./resources.js";
import type { BaseOrder, Scheduler } from "./scheduler.js";
import type { SimController } from "./sim-controller.js";
import type { Observer } from "./simulated-runtime.js";
import { Trial, type TrialOptions, type TrialResult } from "./trial.js";

/** What differs between the runs of a session. */
export interface RunSettings {
  readonly seed?: number | undefined;
  readonly sites?: boolean | undefined;
  readonly observer?: Observer | undefined;
  /** Sees the controller before the body does. */
  readonly prepare?: ((sim: SimController) => void) | undefined;
}

/** How waits for what is not of the library are judged: `"patient"` lets each take `settleMs`, whatever is seen in flight; `"hasty"` tells of a mistake. */
type Patience = "once" | "hasty" | "patient";

/** A run has taken what comes from outside for another task's promise. */
class Misjudgement extends Error {}

/** Turns of the event loop in which what has been closed may still be listed as open. */
const CLOSING_TURNS = 8;

/** Runs of one body with the same options. To be closed. */
export class Session<T> {
  readonly base: BaseOrder;
  readonly seed: number;
  readonly timeRaces: boolean;
  readonly #body: SimBody<T>;
  readonly #options: Omit<TrialOptions, "scheduler" | "observer">;
  readonly #rejections: unknown[] = [];
  readonly #unwatch: () => void;
  readonly #patience: Patience;

  private constructor(body: SimBody<T>, options: SimOptions, timeRaces: boolean, drain: SyncDrain | undefined, patience: Patience) {
    this.#body = body;
    this.#patience = patience;
    this.base = options.base ?? "fifo";
    this.seed = (options.seed ?? 0) | 0;
    this.timeRaces = options.timeRaces ?? timeRaces;
    const { ambient, debug, errors, signal, leaks = {}, settleMs = 250 } = options;
    this.#options = {
      startTime: options.startTime ?? 0,
      timeRaces: this.timeRaces,
      maxSteps: options.maxSteps ?? 10_000,
      external: options.external ?? "settle",
      settleMs,
      quietMs: patience === "patient" ? settleMs : QUIET_MS,
      drain,
      seed: this.seed,
      sites: options.sites ?? false,
      leaks,
      run: { ambient, debug, errors, signal },
      resources: activeResources() ?? [],
      knownRaw: new Set(),
    };
    this.#unwatch = leaks.rejections === false ? () => {} : watchRejections((reason) => this.#rejections.push(reason));
  }

  /** For a body that is run once. */
  static async open<T>(
    caller: string,
    body: SimBody<T>,
    options: SimOptions,
    timeRaces: boolean,
    patience: Patience = "once",
  ): Promise<Session<T>> {
    requireFunction(body, caller);
    validate(options, caller);
    return new Session(body, options, timeRaces, options.drain === "sync" ? await SyncDrain.find() : undefined, patience);
  }

  /** Calls `act` with a session for a body that may be run as often as one likes: `act` begins anew where a run has misjudged a wait, with more patience. */
  static async repeatable<T, R>(
    caller: string,
    body: SimBody<T>,
    options: SimOptions,
    timeRaces: boolean,
    act: (session: Session<T>) => Promise<R>,
    patience: Patience = "hasty",
  ): Promise<R> {
    const session = await Session.open(caller, body, options, timeRaces, patience);
    try {
      return await act(session);
    } catch (error) {
      if (!(error instanceof Misjudgement)) throw error;
    } finally {
      session.close();
    }
    return Session.repeatable(caller, body, options, timeRaces, act, "patient");
  }

  /** The default order, as data. */
  get departures(): Departures {
    return { base: this.base, timeRaces: this.timeRaces, seed: this.seed, picks: [] };
  }

  async trial(scheduler: Scheduler, settings: RunSettings = {}): Promise<TrialResult<T>> {
    const { seed = this.#options.seed, sites = this.#options.sites, observer, prepare } = settings;
    const trial = new Trial<T>({ ...this.#options, scheduler, seed, sites, observer });
    prepare?.(trial.sim);
    const result = await trial.run(this.#body);
    if (result.misjudged !== undefined && this.#patience === "hasty") throw new Misjudgement();
    if (this.#rejections.length === 0) return result;
    const reasons = this.#rejections.splice(0);
    if (result.finding !== undefined) return result;
    const error = new LeakError(`a promise was rejected, and nobody handled it: ${String(reasons[0])}`, { cause: reasons[0] });
    return { ...result, finding: { kind: "leak", error, graph: undefined } };
  }

  /** What is open of the platform that was not when the session began: files, sockets, timers. */
  async leftover(): Promise<Finding | undefined> {
    if (this.#options.leaks.handles === false) return undefined;
    let left = this.#open;
    // What has been closed may take some turns of the event loop to be gone.
    for (let turn = 0; left.length > 0 && turn < CLOSING_TURNS; turn++) {
      await nextTurn();
      left = this.#open;
    }
    if (left.length === 0) return undefined;
    const timers = left.includes("Timeout") ? ". A real timer is cleared by whoever set it; sleep() needs no clearing" : "";
    const error = new LeakError(`something is left open after the end: ${[...new Set(left)].join(", ")}${timers}`);
    return { kind: "leak", error, graph: undefined };
  }

  get #open(): string[] {
    const now = activeResources();
    return now === undefined ? [] : newResources(this.#options.resources, now).filter((type) => type !== "Immediate");
  }

  close(): void {
    this.#unwatch();
  }
}

const LEAKS = ["tasks", "timers", "listeners", "locks", "handles", "rejections"];

function validate(options: SimOptions, caller: string): void {
  const { base, external, drain, maxSteps, settleMs, startTime, seed, leaks = {} } = options;
  const where = (name: string) => `${name} of ${caller}`;
  oneOf(base, ["fifo", "run"], where("`base`"));
  oneOf(external, ["settle", "fail"], where("`external`"));
  oneOf(drain, ["auto", "sync"], where("`drain`"));
  for (const leak of Object.keys(leaks)) oneOf(leak, LEAKS, where("a key of `leaks`"));
  if (maxSteps !== undefined && !(Number.isInteger(maxSteps) && maxSteps > 0))
    throw new RangeError(`${where("`maxSteps`")} is an integer from 1, not ${maxSteps}`);
  if (settleMs !== undefined) requireDuration(settleMs, where("`settleMs`"));
  if (startTime !== undefined && !Number.isFinite(startTime))
    throw new RangeError(`${where("`startTime`")} is a number of ms, not ${startTime}`);
  if (seed !== undefined && !Number.isInteger(seed)) throw new RangeError(`${where("`seed`")} is an integer, not ${seed}`);
}

function oneOf(value: string | undefined, allowed: readonly string[], where: string): void {
  if (value !== undefined && !allowed.includes(value))
    throw new UsageError(`${where} is "${allowed.join('" or "')}", not ${String(value)}`);
}
