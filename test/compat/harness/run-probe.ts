import { setTimeout } from "node:timers/promises";
import { type Awaitable, cancellable } from "creche";
import type { ServerState, Site } from "../servers/site.js";
import { type Attempt, attempt, type Plan, Raw } from "./attempt.js";
import { collectOnce, leftSince, type Open, open } from "./leftovers.js";
import { letPass } from "./let-pass.js";
import { MAY_LINGER, type Often, often, TIMES } from "./often.js";
import type { Kit, Probe, Scope, Way, Wrap } from "./probe.js";
import { before, failsAfter, failsBefore, normal, races, type Scenario, type Subject, waiting } from "./scenarios.js";

/** What one scenario of a probe has shown: a line of JSON. */
export interface Finding {
  readonly probe: string;
  readonly scenario: Scenario | "often";
  /** What is wrong; nothing if all is as it should be. */
  readonly complaints: readonly string[];
  /** What was left that the probe said would be. */
  readonly left: readonly string[];
  /** Milliseconds from the cancellation to the end of the nursery. */
  readonly ms: number;
  /** What the operation rejected with, if it did. */
  readonly rejection: string | undefined;
  readonly often?: Often;
}

export interface Run {
  readonly probe: Probe;
  readonly site: Site;
  /** Makes an empty folder. */
  readonly makeFolder: () => string;
  /** Without `cancellable`: what happens to somebody who does not know that it is needed. */
  readonly isBare: boolean;
  readonly tell: (finding: Finding) => void;
  readonly patience?: Patience;
}

/** How long is waited for things, in milliseconds. */
export interface Patience {
  /** For an operation to end: each of them waits for ever unless it is cancelled, so one that has not ended by then never does. */
  readonly end: number;
  /** For what is left to go: a socket that was destroyed is closed a turn later, and its server learns of it after that. */
  readonly leftovers: number;
}

/** Generous: only what hangs, or stays, takes as long. */
const PATIENCE: Patience = { end: 30_000, leftovers: 20_000 };
/** Of what does not end without its wrapper there is much. */
const BARE: Patience = { end: 1_500, leftovers: 1_500 };

/** How long an operation gets to come to its wait: one that no server sees, or from the request on that its server has seen. */
const GRACE = 40;
/** How long it gets to be seen, however busy the machine is. */
const SEEN_WITHIN = 30_000;
const LOOK_EVERY = 4;

/** Garbage collections that every wait has to outlast. */
const WAITS_THROUGH = 2;

/** Milliseconds. An operation that takes no longer to end when it is cancelled ends at once. */
export const AT_ONCE = 100;
/** How often one that takes longer is tried: it may be the machine that is busy. */
const TRIES = 6;

/** Where the cancellation falls, in parts of the time that the failure takes. */
const RACES = [0, 0.2, 0.5, 0.8, 0.95, 1, 1.1];

/** Runs all scenarios of a probe, up to one that never ends. Returns whether it used `cancellable`. */
export async function runProbe(run: Run): Promise<{ readonly isWrapped: boolean }> {
  const wrapper = { isUsed: false };
  const cleanups: (() => Awaitable<unknown>)[] = [];
  await run.probe.prepare?.({ ...run.site, folder: run.makeFolder(), defer: (cleanup) => void cleanups.push(cleanup) });
  try {
    await allScenarios(run, new Subjects(run, run.isBare ? withoutWrapper : counting(wrapper)));
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
  return { isWrapped: wrapper.isUsed };
}

async function allScenarios({ probe, isBare }: Run, subjects: Subjects): Promise<void> {
  for (let i = 0, ms = Number.POSITIVE_INFINITY; i < (isBare ? 1 : TRIES) && ms > AT_ONCE; i++) {
    const waited = await subjects.scenario("waiting", waiting);
    if (!waited) return;
    ms = waited.ms;
  }
  if (!(await subjects.scenario("before", before)) || isBare) return;
  const succeeded = await subjects.scenario("normal", normal);
  if (succeeded === undefined || succeeded.complaint !== undefined) return;
  await subjects.often();
  if (probe.genuine === undefined) return;
  const failed = await subjects.scenario("fails before", failsBefore);
  if (!failed) return;
  if (!(await subjects.scenario("fails after", failsAfter))) return;
  for (const part of RACES) await subjects.scenario("races", (subject) => races(subject, failed.ms * part));
}

const withoutWrapper: Wrap = (start, _options, scope) => Promise.resolve(start((scope as Scope).signal));

function counting(wrapper: { isUsed: boolean }): Wrap {
  return (start, options, scope) => {
    wrapper.isUsed = true;
    return cancellable(start, options, scope);
  };
}

/** Makes an environment for each scenario, and looks at what is left in it, and of it. */
class Subjects {
  readonly #run: Run;
  readonly #wrap: Wrap;

  constructor(run: Run, wrap: Wrap) {
    this.#run = run;
    this.#wrap = wrap;
  }

  /** Returns the attempt, or nothing if its operation never ends. */
  async scenario(name: Scenario, planOf: (subject: Subject) => Plan): Promise<Attempt | undefined> {
    const { probe, site, tell } = this.#run;
    const place = await this.#open(name === "fails after" ? 2 : 1);
    const [env, spare] = place.environments;
    const raw = new Raw();
    const callIn = (own: unknown) => (way: Way, task: Scope) => raw.of(() => probe.call(way, task, own, this.#wrap));
    const underWay = (isOver: () => boolean) => waitsOrIsOver({ probe, site, env, ready: place.ready, isOver });
    const subject = { probe, raw, call: callIn(env), callElsewhere: callIn(spare), underWay };
    const result = await attempt(planOf(subject), raw, this.#patience.end);
    const { complaint, ms, rejection, isOver } = result;
    const { complaints, left } = isOver ? await place.close() : { complaints: [], left: [] };
    if (complaint !== undefined) complaints.unshift(complaint);
    tell({ probe: probe.name, scenario: name, complaints, left, ms, rejection });
    return isOver ? result : undefined;
  }

  get #patience(): Patience {
    return this.#run.patience ?? (this.#run.isBare ? BARE : PATIENCE);
  }

  async often(): Promise<void> {
    const { probe, tell } = this.#run;
    const place = await this.#open(1);
    const [env] = place.environments;
    const operation = (task: Scope) => probe.call("complete", task, env, this.#wrap);
    const result = await often(operation);
    const { complaints, left } = await place.close();
    if (result.keptSignals > MAY_LINGER) complaints.push(`left: the signals of ${result.keptSignals} in ${TIMES} tasks that have ended`);
    tell({ probe: probe.name, scenario: "often", complaints, left, ms: 0, rejection: undefined, often: result });
  }

  async #open(count: number): Promise<Place> {
    const { probe, site, makeFolder } = this.#run;
    const cleanups: (() => Awaitable<unknown>)[] = [];
    const atFirst = await open(site);
    const environments: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const kit: Kit = { ...site, folder: makeFolder(), defer: (cleanup) => void cleanups.push(cleanup) };
      environments.push(await probe.setup?.(kit));
    }
    return new Place(probe, site, environments, cleanups, atFirst, await open(site), this.#patience.leftovers);
  }
}

/** The environments of one scenario. */
class Place {
  readonly environments: readonly unknown[];
  /** What was open when they were made. */
  readonly ready: Open;
  readonly #probe: Probe;
  readonly #site: Site;
  readonly #cleanups: readonly (() => Awaitable<unknown>)[];
  readonly #atFirst: Open;
  readonly #patience: number;

  constructor(
    probe: Probe,
    site: Site,
    environments: readonly unknown[],
    cleanups: readonly (() => Awaitable<unknown>)[],
    atFirst: Open,
    ready: Open,
    patience: number,
  ) {
    this.environments = environments;
    this.ready = ready;
    this.#probe = probe;
    this.#site = site;
    this.#cleanups = cleanups;
    this.#atFirst = atFirst;
    this.#patience = patience;
  }

  /** Closes them, and tells what the operations have left before that and after it. */
  async close(): Promise<{ readonly complaints: string[]; readonly left: readonly string[] }> {
    const { isPooled, leaves } = this.#probe;
    const isExpected = (what: string) => leaves?.reports.test(what) === true;
    const leftOver = (before: Open) => leftSince(before, this.#site, { isPooled: isPooled === true, isExpected, patience: this.#patience });
    const first = await leftOver(this.ready);
    for (const cleanup of [...this.#cleanups].reverse()) await cleanup();
    const later = await leftOver(this.#atFirst);
    const all = [...first.map((what) => `left: ${what}`), ...later.map((what) => `left after closing: ${what}`)];
    return { complaints: all.filter((what) => !isExpected(what)), left: all.filter(isExpected) };
  }
}

interface Started {
  readonly probe: Probe;
  readonly site: Site;
  readonly env: unknown;
  /** What was open before it was. */
  readonly ready: Open;
  readonly isOver: () => boolean;
}

/** Resolves when the operation is where it waits, or has ended. */
async function waitsOrIsOver({ probe, site, env, ready, isOver }: Started): Promise<void> {
  const { needs, reached, isPooled } = probe;
  const end = Date.now() + SEEN_WITHIN;
  const isSeen = ({ waiting, served, connections }: ServerState) =>
    waiting > ready.waiting || served > ready.served || (isPooled !== true && connections > ready.connections);
  const isThere = async () => (reached !== undefined ? reached(env) : needs === undefined || isSeen(await site.state()));
  while (!isOver() && !(await isThere())) {
    if (Date.now() > end) throw new Error(`it has not come to where it waits within ${SEEN_WITHIN} ms`);
    await setTimeout(LOOK_EVERY);
  }
  await letPass(GRACE);
  // An API that holds what listens to the signal by nothing but a weak reference would not hear of the cancellation after that.
  for (let i = 0; i < WAITS_THROUGH; i++) await collectOnce();
}
