import { UncontrolledAwaitError } from "../errors/uncontrolled-await-error.js";
import type { ExternalAwait } from "./external-await.js";
import type { SimTask } from "./ready.js";
import { activeResources, newResources } from "./resources.js";

/** Real milliseconds in which nothing was seen in flight, after which a task is taken to wait for another one's promise. */
export const QUIET_MS = 3;

export interface ForeignWaitsOptions {
  readonly external: "settle" | "fail";
  readonly settleMs: number;
  /** See `QUIET_MS`. No platform tells of all that is in flight: of a hash, of compression, and some not of files. */
  readonly quietMs: number;
  /** What was open before; see `activeResources`. */
  readonly resources: readonly string[];
  /** Tasks that have been found to wait for one another's promises, by name and last operation: there is no use in waiting for them again. */
  readonly knownRaw: Set<string>;
}

interface Awaiting {
  readonly tasks: readonly SimTask[];
  /** In real time. */
  readonly since: number;
  readonly resources: readonly string[];
  /** Since when none is in flight. */
  readonly quietSince: number | undefined;
}

/**
 * What tasks of one run await that is not of the library. It is waited for as part of the step, unless it is taken for a promise that another task will
 * settle; that guess is looked at afterwards, because what another task settles comes back in one of its steps, and never between two.
 */
export class ForeignWaits {
  readonly #options: ForeignWaitsOptions;
  readonly #giveUp: (error: UncontrolledAwaitError) => void;
  readonly #noted: ExternalAwait[] = [];
  /** What is awaited as part of the last step. */
  #awaited: Awaiting | undefined = undefined;
  /** Tasks that others have gone on without, and their labels, when all was over that the last step had set in motion. */
  readonly #left = new Map<SimTask, string>();
  #misjudged: string | undefined = undefined;

  constructor(options: ForeignWaitsOptions, giveUp: (error: UncontrolledAwaitError) => void) {
    this.#options = options;
    this.#giveUp = giveUp;
  }

  /** All that are over, in order. */
  get noted(): readonly ExternalAwait[] {
    return this.#noted;
  }

  /** Whether something is waited for as part of the last step. */
  get isWaiting(): boolean {
    return this.#awaited !== undefined;
  }

  /** A wait that was not for another task's promise, though it was taken for that, and others went on. */
  get misjudged(): string | undefined {
    return this.#misjudged;
  }

  /** Whether the next step is to wait for those of `loose` tasks, which await something foreign. `steps`: how many there were. */
  holdsUp(loose: readonly SimTask[], steps: number): boolean {
    const fresh = loose.filter((task) => task.rawSince === undefined);
    if (fresh.length === 0) {
      if (this.#awaited !== undefined) this.#note(this.#awaited, true);
      return false;
    }
    const { external, settleMs, quietMs, knownRaw } = this.#options;
    const tasks = fresh.map(labelOf);
    const now = performance.now();
    if (this.#awaited === undefined) {
      this.#awaited = { tasks: fresh, since: now, quietSince: undefined, resources: [] };
      if (external === "fail") this.#giveUp(new UncontrolledAwaitError(foreign(tasks, 'which `external: "fail"` forbids')));
      return true;
    }
    const resources = this.#inFlight();
    const quietSince = resources?.length === 0 ? (this.#awaited.quietSince ?? now) : undefined;
    const awaited = { ...this.#awaited, tasks: fresh, quietSince, resources: resources ?? [] };
    this.#awaited = awaited;
    const isQuiet = quietSince !== undefined && (now - quietSince >= quietMs || tasks.every((task) => knownRaw.has(task)));
    if (!isQuiet && now - awaited.since < settleMs) return true;
    for (const task of fresh) task.rawSince = steps;
    for (const task of tasks) knownRaw.add(task);
    this.#note(awaited, false);
    if (awaited.resources.length > 0) {
      const what = `and was not settled within ${settleMs} ms of real time${advice(awaited.resources)}`;
      this.#giveUp(new UncontrolledAwaitError(foreign(tasks, what)));
    }
    return true;
  }

  /** All is over that the last step has set in motion: what comes back from now on comes from outside. */
  stepIsOver(loose: readonly SimTask[], steps: number): void {
    for (const task of loose) {
      if (task.rawSince !== undefined && task.rawSince < steps) this.#left.set(task, labelOf(task));
    }
  }

  /** A turn of the event loop begins. */
  turnBegins(loose: readonly SimTask[]): void {
    for (const [task, label] of this.#left) {
      if (!loose.includes(task)) this.#misjudged ??= label;
    }
    this.#left.clear();
  }

  #note({ tasks, resources }: Awaiting, settled: boolean): void {
    this.#awaited = undefined;
    for (const { name, lastOp } of tasks) this.#noted.push({ task: name, after: lastOp, settled, resources });
  }

  #inFlight(): string[] | undefined {
    const now = activeResources();
    // Our own: the turn of the event loop that is waited for.
    return now && newResources(this.#options.resources, now).filter((type) => type !== "Immediate");
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
