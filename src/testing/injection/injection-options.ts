import { Cancelled, leaves, TaskCancelledError, UsageError } from "../../index.js";
import { requireFunction } from "../../kernel/validate.js";
import type { SimOptions } from "../sim-options.js";
import type { InjectMode, InjectTarget } from "./injection.js";
import type { Checkpoint } from "./injector.js";

/** A place where an injection is made. */
export interface InjectPlace {
  readonly task: string;
  /** The operation, as a verb; `no wait` where one ended at once, by an error for example, or a task only looked whether it is cancelled. */
  readonly op: string;
  /** What the operation is about; `""` if nothing that has a name. */
  readonly object: string;
}

/** One injection, as `check` is told of it. */
export interface Injected extends InjectPlace {
  /** The number of the checkpoint, from 1. */
  readonly k: number;
  /** How many there are. */
  readonly of: number;
  readonly mode: InjectMode;
  /** `undefined` for a fault. */
  readonly target: InjectTarget | undefined;
}

/** What is looked for in a run that was disturbed: the same for `injectCancellation` and for `replay`. */
export interface InjectionChecks {
  /** What an operation throws in the mode `"fault"`. Default: an `Error` that says so. */
  readonly fault?: ((at: InjectPlace) => unknown) | undefined;
  /** Whether an error with which the body rejects is all right, besides the injection itself: a `BrokenResourceError`, where a peer is gone. Default: none is. */
  readonly expected?: ((error: unknown) => boolean) | undefined;
  /** How many operations a task may still begin when it is cancelled, to clean up, before it counts as one that swallows cancellations. Default 100. */
  readonly grace?: number | undefined;
  /** Throws if something is lost. Called after each disturbed run that has nothing else wrong, when all tasks have ended. */
  readonly check?: ((at: Injected) => unknown) | undefined;
}

export interface InjectOptions extends Omit<SimOptions, "base">, InjectionChecks {
  /**
   * When. `"enter"`: right before an operation takes effect, so that it is refused. `"blocked"`: while it waits, or is done and its task has not gone on.
   * `"fault"`: it throws `fault(at)`. Default `["enter", "blocked"]`.
   */
  readonly modes?: readonly InjectMode[] | undefined;
  /** What is cancelled. `"task"`: the task at the checkpoint. `"root"`: everything. `{ scope }`: the scope of that name, where one is open. Default `["task", "root"]`. */
  readonly targets?: readonly InjectTarget[] | undefined;
  /** Under how many random schedules, besides the default order. Default 4. */
  readonly seeds?: number | undefined;
  /**
   * Where. `"every"`: at each checkpoint. `"sites"`: for long programs, once for each operation of each kind of task on each object; the first time in the
   * default order, any time in the others. Default `"every"`.
   */
  readonly points?: "every" | "sites" | undefined;
}

const MODES: readonly InjectMode[] = ["enter", "blocked", "fault"];
const DEFAULT_GRACE = 100;
const CAUSES = 8;

/** @throws UsageError, RangeError for wrong options */
export function validateInjection(options: InjectOptions, caller: string): void {
  const { modes, targets, seeds, points, fault } = options;
  for (const mode of nonEmpty(modes, "modes", caller)) {
    if (!MODES.includes(mode)) throw new UsageError(`\`modes\` of ${caller} are "${MODES.join('", "')}", not ${String(mode)}`);
  }
  for (const target of nonEmpty(targets, "targets", caller)) {
    const isNamed = typeof target === "object" && typeof target?.scope === "string";
    if (!isNamed && target !== "task" && target !== "root")
      throw new UsageError(`\`targets\` of ${caller} are "task", "root", { scope: name }, not ${String(target)}`);
  }
  if (seeds !== undefined) requireCount(seeds, `\`seeds\` of ${caller}`);
  if (points !== undefined && points !== "every" && points !== "sites")
    throw new UsageError(`\`points\` of ${caller} is "every" or "sites", not ${String(points)}`);
  if (fault !== undefined && modes?.includes("fault") !== true)
    throw new UsageError(`\`fault\` of ${caller} would never be thrown: add "fault" to \`modes\``);
  validateChecks(options, caller);
}

export function validateChecks({ fault, expected, grace, check }: InjectionChecks, caller: string): void {
  for (const [name, value] of Object.entries({ fault, expected, check }))
    if (value !== undefined) requireFunction(value, `\`${name}\` of ${caller}`);
  if (grace !== undefined) requireCount(grace, `\`grace\` of ${caller}`);
}

/** How a disturbed run is judged, from the options. */
export function judgement({ fault, expected, grace = DEFAULT_GRACE }: InjectionChecks, { task, op, object }: Checkpoint) {
  return {
    grace,
    fault: () =>
      fault === undefined ? new Error(`a fault was injected into ${task}: ${op}${object && ` ${object}`}`) : fault({ task, op, object }),
    expected: (error: unknown, thrown: { readonly error: unknown } | undefined) => isExpected(error, thrown, expected),
  };
}

/** What was injected, whatever it was wrapped in; a peer's end by it, which a join tells; or what the user expects. */
function isExpected(error: unknown, thrown: { readonly error: unknown } | undefined, expected: InjectionChecks["expected"]): boolean {
  if (expected?.(error) === true) return true;
  if (error instanceof AggregateError) {
    const all = leaves(error);
    return all.length > 0 && all.every((leaf) => isExpected(leaf, thrown, expected));
  }
  if (error instanceof Cancelled || error instanceof TaskCancelledError) return true;
  let at = error;
  for (let hop = 0; thrown !== undefined && hop < CAUSES; hop++) {
    if (at === thrown.error) return true;
    if (!(at instanceof Error)) return false;
    at = at.cause;
  }
  return false;
}

function nonEmpty<T>(list: readonly T[] | undefined, name: string, caller: string): readonly T[] {
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length === 0) throw new UsageError(`\`${name}\` of ${caller} is a list with something in it`);
  return list;
}

function requireCount(n: number, what: string): void {
  if (!(Number.isInteger(n) && n >= 0)) throw new RangeError(`${what} is an integer from 0, not ${n}`);
}
