import type { Cancelled } from "../kernel/cancelled.js";
import { Leader } from "../kernel/leader.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import type { Making } from "./produced.js";
import { type AnyIterable, type Sink, Source } from "./source.js";
import type { Supply } from "./supply.js";

/** One of the iterables that items come from. */
export interface Input<T> {
  /** Of the task that reads it. */
  readonly name: string;
  readonly open: (task: Task) => AnyIterable<unknown>;
  readonly itemOf: (item: unknown) => T;
}

/** What is to be made. */
export interface Recipe<T> {
  /** Of the function that was called: `generate` or `merge`. */
  readonly name: string;
  readonly inputs: readonly Input<T>[];
  /** How many items are made ahead. */
  readonly capacity: number;
  /** Whether there may be several inputs, which exist already: they are closed also if nobody ever wanted an item of them. */
  readonly isShared: boolean;
}

/**
 * What makes items: one task for each input, in its nursery. A failure in it comes as it is, also where groups are asked for, because it is told as
 * the failure of whoever asked for the item.
 */
export class Production<T> extends Leader implements Making {
  readonly #recipe: Recipe<T>;
  readonly supply: Supply<T>;
  readonly #onEnd: () => void;
  /** Those that are open. */
  readonly #sources = new Set<Source<unknown>>();
  /** How many inputs have come to their end by themselves. */
  #exhausted = 0;
  #interruption: Cancelled | undefined = undefined;

  /** `onEnd` is called when everything in it has ended, and it has not: before the scope around it can go on. */
  constructor(recipe: Recipe<T>, supply: Supply<T>, onEnd: () => void) {
    super(recipe.name);
    this.#recipe = recipe;
    this.supply = supply;
    this.#onEnd = onEnd;
  }

  /** Whether all inputs have come to their end by themselves. */
  get isComplete(): boolean {
    return this.#exhausted === this.#recipe.inputs.length;
  }

  /** By what it was cut off, if it was. */
  get interruption(): Cancelled | undefined {
    return this.nursery._reason ?? this.#interruption;
  }

  get isShared(): boolean {
    return this.#recipe.isShared;
  }

  /** What went wrong in it, once everything in it has ended. */
  get failure(): { readonly error: unknown } | undefined {
    const outcome = this.nursery._rare?.outcome;
    return outcome?.hasFailed ? { error: outcome.error(this.nursery) } : undefined;
  }

  /**
   * Resolves when all inputs have been read. For the body: a nursery that waits for its tasks at its end would be told, in a deadlock report, as something
   * that its owner waits for, which may do anything but.
   */
  startTasks(): Promise<unknown> {
    return Promise.all(
      this.#recipe.inputs.map(
        (input) =>
          new Promise<void>((resolve) => {
            this.nursery.startSoon((task) => this.#read(input, task, resolve), { name: input.name });
          }),
      ),
    );
  }

  async #read(input: Input<T>, task: Task, onEnd: () => void): Promise<void> {
    const sink = new TaskSink(this, input, task);
    let source: Source<unknown> | undefined;
    try {
      if (!this.isShared) {
        // What nobody ever wanted an item of is not entered.
        await sink.wanted();
        if (sink.isStopped) return;
      }
      source = new Source(input.open(task), task);
      this.#sources.add(source);
      await source.readInto(sink);
    } finally {
      if (source !== undefined) this.#sources.delete(source);
      if (sink.isExhausted) this.#exhausted++;
      else this.#interruption ??= task._reason;
      onEnd();
    }
  }

  override get mayGroup(): boolean {
    return false;
  }

  /** By the end of what it belongs to, by a failure in it, or because nobody wants what it makes. */
  override cancelCalled(): void {
    for (const source of this.#sources) source.stop();
  }

  override nurseryEnds(): void {
    this.#onEnd();
  }
}

/** Where the items of one input go. */
class TaskSink<T> implements Sink<unknown> {
  readonly #production: Production<T>;
  readonly #input: Input<T>;
  readonly #task: Task;
  /** Several inputs are there because an item was asked for; a single one waits until it is wanted. */
  #isNew: boolean;
  isExhausted = false;

  constructor(production: Production<T>, input: Input<T>, task: Task) {
    this.#production = production;
    this.#input = input;
    this.#task = task;
    this.#isNew = production.isShared;
  }

  get isStopped(): boolean {
    return this.#scope._reason !== undefined;
  }

  wanted(): Promise<void> {
    const isNew = this.#isNew;
    this.#isNew = false;
    return this.#production.supply.wanted(this.#scope, isNew);
  }

  give(item: unknown): Promise<void> | undefined {
    return this.#production.supply.give(this.#scope, this.#input.itemOf(item));
  }

  exhausted(): void {
    this.isExhausted = true;
  }

  /** Where it waits while the input does not run: that the input raised the shield of its task must not keep it there for ever. */
  get #scope(): CancelScope {
    return this.#task.shield ? this.#production.nursery : this.#task;
  }
}
