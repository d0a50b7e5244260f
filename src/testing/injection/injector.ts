import { BYSTANDER, MAIN } from "../../kernel/flags.js";
import { childrenOf } from "../../kernel/floating.js";
import type { CancelScope } from "../../kernel/scope.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { Task } from "../../kernel/task.js";
import type { Waiter } from "../../kernel/waiter.js";
import type { SimTask } from "../engine/ready.js";
import type { SimController } from "../engine/sim-controller.js";
import type { Observer, SimulatedRuntime } from "../engine/simulated-runtime.js";
import { SwallowedCancellationError } from "../errors/swallowed-cancellation-error.js";
import type { Injection, InjectTarget } from "./injection.js";

/** One checkpoint of a run: where an operation begins, where it waits, or both. */
export interface Checkpoint {
  /** From 1, in the order in which they come. */
  readonly k: number;
  readonly task: string;
  /** The task's name without its number, so that those that run the same code are one. */
  readonly kind: string;
  readonly isMain: boolean;
  /** `no wait` for one that ended at once, by an error for example, and for a mere look at the cancellation. */
  op: string;
  /** `""` if it is about nothing that has a name. */
  object: string;
  /** Whether it can be refused: the end of a nursery, for one, cannot. */
  readonly isOperation: boolean;
  isWait: boolean;
}

/** What is done in one run, besides counting. */
export interface Disturbance {
  readonly injection: Injection;
  /** How many operations a cancelled task may still begin. */
  readonly grace: number;
  /** What the operation throws, in the mode `fault`. */
  readonly fault: () => unknown;
  /** Whether a failure is one that the user said is all right. */
  readonly expected: (error: unknown, fault: { readonly error: unknown } | undefined) => boolean;
}

/** Numbers the checkpoints of one run, and disturbs it at one of them, if it is told to. */
export class Injector implements Observer {
  readonly checkpoints: Checkpoint[] = [];
  /** What was cancelled, for reports; `undefined` until the run has been disturbed. */
  done: { readonly what: string; readonly step: number } | undefined = undefined;
  /** There was nothing that could have been cancelled: no scope of that name was open. */
  isMissed = false;
  readonly #disturbance: Disturbance | undefined;
  #sim: SimController | undefined = undefined;
  #runtime: SimulatedRuntime | undefined = undefined;
  /** The operation that has begun in this step and has not waited yet: its wait is the same checkpoint. */
  #entered: { readonly scope: ScopeNode; readonly checkpoint: Checkpoint; readonly step: number } | undefined = undefined;
  /** Where the wait began after whose step the cancellation comes. */
  #armed: ScopeNode | undefined = undefined;
  #fault: { readonly error: unknown } | undefined = undefined;
  /** How many operations each task has begun since it was cancelled. */
  readonly #attempts = new Map<SimTask | undefined, number>();
  #swallowed: SwallowedCancellationError | undefined = undefined;

  constructor(disturbance?: Disturbance) {
    this.#disturbance = disturbance;
  }

  begins(runtime: SimulatedRuntime): void {
    this.#runtime = runtime;
  }

  /** For `Session.trial`. */
  readonly prepare = (sim: SimController): void => {
    this.#sim = sim;
  };

  entering(scope: ScopeNode): void {
    // A deadline has passed right here.
    if (scope._reason !== undefined || isBystander(scope)) return;
    if (this.done !== undefined) {
      const task = scope._task;
      if (task?._reason !== undefined) this.#attempted(this.#names.taskOf(scope));
      return;
    }
    const checkpoint = this.#add(scope, true);
    this.#entered = { scope, checkpoint, step: this.#step };
    const { injection, fault } = this.#disturbance ?? {};
    if (injection?.k !== checkpoint.k) return;
    if (injection.mode === "enter") this.#cancel(scope);
    else if (injection.mode === "fault") {
      this.#fault = { error: fault?.() };
      this.#disturbed("a fault");
      throw this.#fault.error;
    }
  }

  parked(waiter: Waiter<unknown>): void {
    const object = this.#names.objectOf(waiter.on);
    const scope = waiter._scope as ScopeNode;
    if (this.done !== undefined || isBystander(scope)) return;
    const entered = this.#entered;
    this.#entered = undefined;
    const isSame = entered?.scope === scope && entered.step === this.#step;
    const checkpoint = isSame ? entered.checkpoint : this.#add(scope, false);
    checkpoint.op = waiter.op;
    checkpoint.object = object;
    checkpoint.isWait = true;
    const injection = this.#disturbance?.injection;
    if (injection?.k === checkpoint.k && injection.mode === "blocked") this.#armed = scope;
  }

  refused(): boolean {
    return this.done === undefined || this.#attempted(this.#runtime?.last);
  }

  rested(): void {
    if (this.#swallowed !== undefined) throw this.#swallowed;
    const scope = this.#armed;
    this.#armed = undefined;
    if (scope !== undefined) this.#cancel(scope);
  }

  expects(error: unknown): boolean {
    return this.done !== undefined && (this.#disturbance as Disturbance).expected(error, this.#fault);
  }

  get #names() {
    return (this.#runtime as SimulatedRuntime).names;
  }

  /** The number of the step that is being taken, from 1; 0 before the first. */
  get #step(): number {
    return (this.#runtime as SimulatedRuntime).trace.length;
  }

  #add(scope: ScopeNode, isOperation: boolean): Checkpoint {
    const { name: task, node } = this.#names.taskOf(scope);
    const kind = node instanceof Task ? labelOf(node) : task;
    const isMain = node !== undefined && (node._flags & MAIN) !== 0;
    const k = this.checkpoints.length + 1;
    const checkpoint = { k, task, kind, isMain, op: "no wait", object: "", isOperation, isWait: false };
    this.checkpoints.push(checkpoint);
    return checkpoint;
  }

  #cancel(at: ScopeNode): void {
    const wanted = (this.#disturbance as Disturbance).injection.target as InjectTarget;
    const target = this.#find(wanted, at);
    if (target === undefined) {
      this.isMissed = true;
      return;
    }
    const what =
      wanted === "root" ? "everything" : wanted === "task" ? `the task ${this.#names.taskOf(at).name}` : `the scope ${wanted.scope}`;
    this.#disturbed(`${what} is cancelled`);
    target.cancel("injected");
  }

  #disturbed(what: string): void {
    this.done = { what, step: this.#step };
    this.#sim?.expectNothing();
    if (this.#step > 0) this.#runtime?.trace.currentNotes.remarks.push(`! ${what}`);
  }

  #find(target: InjectTarget, at: ScopeNode): CancelScope | undefined {
    if (target === "root") return this.#sim?.root;
    if (target === "task") {
      const task = at._task;
      // What encloses the main task is not of the program.
      return task !== undefined && (task._flags & MAIN) !== 0 ? this.#sim?.root : (task as CancelScope | undefined);
    }
    return scopeNamed(target.scope, at);
  }

  /** Whether the task may go on. */
  #attempted(task: SimTask | undefined): boolean {
    const { grace } = this.#disturbance as Disturbance;
    const attempts = (this.#attempts.get(task) ?? 0) + 1;
    this.#attempts.set(task, attempts);
    if (attempts <= grace) return true;
    this.#swallowed ??= new SwallowedCancellationError(task?.name ?? "main", grace);
    return false;
  }
}

/** The innermost one around a place; else the first one in the tree. */
export function scopeNamed(name: string, at: ScopeNode): CancelScope | undefined {
  let top = at;
  for (let scope: ScopeNode | undefined = at; scope !== undefined; scope = scope._parent) {
    if (scope.name === name) return scope as CancelScope;
    top = scope;
  }
  const scopes = [top];
  for (let scope = scopes.pop(); scope !== undefined; scope = scopes.pop()) {
    if (scope.name === name) return scope as CancelScope;
    scopes.push(...childrenOf(scope).reverse());
  }
  return undefined;
}

/** Nothing of the program goes on in it, so there is nothing to disturb. */
function isBystander(scope: ScopeNode): boolean {
  return (scope._flags & BYSTANDER) !== 0;
}

/** The name of what a task runs, without its number. */
function labelOf({ _label: label }: Task): string {
  return (typeof label === "string" ? label : label.name) || "task";
}
