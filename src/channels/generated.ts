import { signalScope } from "../kernel/foreign-signal.js";
import { quiet } from "../kernel/quiet.js";
import { runScope } from "../kernel/run-scope.js";
import type { WaitQueue } from "../kernel/wait-queue.js";
import type { Item } from "./next-item.js";
import { type Home, type Making, Produced } from "./produced.js";
import { Production, type Recipe } from "./production.js";
import { Supply } from "./supply.js";

/**
 * What `generate` and `merge` return: items that are made in tasks of their own, when they are asked for.
 *
 * Iterate over it, or have several tasks `receive` from it; an item goes to one of them. It is closed by leaving the loop, whichever way, by `close()`,
 * by `await using`, and at the latest when the scope in which it was made is left. Then what makes the items is cancelled, and its end awaited.
 */
export class Generated<out T> extends Produced<T> {
  readonly #recipe: Recipe<T>;
  readonly #supply: Supply<T>;
  /** All that the tasks do. They are started in the async context in which this was made, not in that of whoever receives first. */
  readonly #work: Promise<unknown>;
  #letWork: () => void = () => {};
  #production: Production<T> | undefined = undefined;

  /** @internal */
  constructor(recipe: Recipe<T>, home: Home) {
    super(recipe.name, home);
    this.#recipe = recipe;
    this.#supply = new Supply(recipe.capacity, recipe.isShared, this);
    this.#work = new Promise<void>((resolve) => {
      this.#letWork = resolve;
    }).then(() => this.#production?.startTasks());
  }

  /** @internal */
  get _receivers(): WaitQueue<Item<T>> {
    return this.#supply.receivers;
  }

  /** @internal */
  get _hasItem(): boolean {
    return !this.#supply.isEmpty;
  }

  /** @internal */
  _takeItem(): T {
    return this.#supply.take();
  }

  /** @internal */
  override _asked(): void {
    super._asked();
    this.#supply.ask();
  }

  /** @internal */
  override get _isOpenAtOnce(): boolean {
    return this.#recipe.isShared;
  }

  /** @internal */
  _begin(): Making {
    const { owner, signal } = this._home;
    const production = new Production(this.#recipe, this.#supply, () => this._ended(production));
    this.#production = production;
    const body = () => {
      this.#letWork();
      return this.#work;
    };
    const where = signal === undefined ? owner : signalScope(signal, owner);
    quiet(runScope(production.nursery, body, where, { caller: `${this.#recipe.name}()` }));
    return production;
  }

  /** @internal */
  override _drop(): void {
    this.#supply.drop();
  }
}
