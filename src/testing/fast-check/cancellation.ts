import fc, { type Arbitrary } from "fast-check";
import { Cancelled, leaves, TaskCancelledError, UsageError } from "../../index.js";
import { MAIN } from "../../kernel/flags.js";
import type { CancelScope } from "../../kernel/scope.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import type { Waiter } from "../../kernel/waiter.js";
import { SimController } from "../engine/sim-controller.js";
import type { Observer } from "../engine/simulated-runtime.js";
import type { Sim } from "../sim.js";

export interface CancellationOptions {
  /** The last operation at which it may come. Default 50. */
  readonly max?: number | undefined;
  /** What may be cancelled: the task that does the operation, or everything. Default both. */
  readonly targets?: readonly ("task" | "root")[] | undefined;
}

/** One cancellation, as a value. */
export interface Cancellation {
  /** Has it happen in this run, counted from here on. If the run then fails with nothing but that cancellation, it passes. @throws UsageError if the run has one already */
  apply(sim: Sim): void;
}

/**
 * Where a cancellation goes: at the k-th operation that begins after `apply(sim)`, before it takes effect, or while it waits. Shrinks to none, then to earlier
 * operations, to "before", and to the first of the targets.
 *
 * @throws RangeError if `max` is no integer from 1, or there are no targets
 * @example
 * fc.asyncProperty(schedule(), cancellation(), async (s, c) => {
 *   const pool = new Pool();
 *   await s.run(async (sim) => {
 *     c.apply(sim);
 *     await usePool(pool);
 *   });
 *   expect(pool.free).toBe(pool.size);
 * });
 */
export function cancellation({ max = 50, targets = ["task", "root"] }: CancellationOptions = {}): Arbitrary<Cancellation> {
  if (!(Number.isInteger(max) && max >= 1)) throw new RangeError(`\`max\` of cancellation() is an integer from 1, not ${max}`);
  if (targets.length === 0) throw new RangeError("`targets` of cancellation() has one at least");
  return fc
    .record({ k: fc.nat({ max }), isWaiting: fc.boolean(), target: fc.constantFrom(...targets) })
    .map(({ k, isWaiting, target }) => new PlannedCancellation(k, isWaiting, target));
}

const TO_STRING: unique symbol = Symbol.for("fast-check/toStringMethod") as never;

class PlannedCancellation implements Cancellation {
  readonly #k: number;
  readonly #isWaiting: boolean;
  readonly #target: "task" | "root";

  constructor(k: number, isWaiting: boolean, target: "task" | "root") {
    this.#k = k;
    this.#isWaiting = isWaiting;
    this.#target = target;
  }

  apply(sim: Sim): void {
    if (!(sim instanceof SimController)) throw new UsageError("cancellation.apply() takes the `sim` of a simulated run");
    if (this.#k === 0) return;
    if (!sim._observe(new Canceller(sim, this.#k, this.#isWaiting, this.#target)))
      throw new UsageError("a cancellation is injected into this run already");
  }

  toString(): string {
    if (this.#k === 0) return "no cancellation";
    return `cancellation of the ${this.#target} ${this.#isWaiting ? "while operation" : "before operation"} ${this.#k}${this.#isWaiting ? " waits" : ""}`;
  }

  [TO_STRING](): string {
    return this.toString();
  }
}

class Canceller implements Observer {
  readonly #sim: SimController;
  /** How many operations are to begin until it comes. */
  #left: number;
  readonly #isWaiting: boolean;
  readonly #target: "task" | "root";
  /** Its operation has begun. */
  #entered: ScopeNode | undefined = undefined;
  /** Its operation waits: it comes when the step is over. */
  #armed: ScopeNode | undefined = undefined;
  #isDone = false;

  constructor(sim: SimController, k: number, isWaiting: boolean, target: "task" | "root") {
    this.#sim = sim;
    this.#left = k;
    this.#isWaiting = isWaiting;
    this.#target = target;
  }

  entering(scope: ScopeNode): void {
    if (this.#left === 0 || scope._reason !== undefined) return;
    if (--this.#left > 0) return;
    if (this.#isWaiting) this.#entered = scope;
    else this.#cancel(scope);
  }

  parked({ _scope: scope }: Waiter<unknown>): void {
    if (this.#entered === undefined || scope !== this.#entered) return;
    this.#armed = scope;
    this.#entered = undefined;
  }

  rested(): void {
    const scope = this.#armed;
    this.#armed = undefined;
    if (scope !== undefined) this.#cancel(scope);
  }

  expects(error: unknown): boolean {
    return this.#isDone && leaves(error).every((leaf) => leaf instanceof Cancelled || leaf instanceof TaskCancelledError);
  }

  #cancel(at: ScopeNode): void {
    const task = at._task;
    // What encloses the main task is not of the program.
    const isRoot = this.#target === "root" || task === undefined || (task._flags & MAIN) !== 0;
    this.#isDone = true;
    this.#sim.expectNothing();
    (isRoot ? this.#sim.root : (task as CancelScope)).cancel("injected");
  }
}
