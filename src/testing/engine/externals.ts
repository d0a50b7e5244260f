import { type Parked, park } from "../../kernel/park.js";
import type { Cancellable } from "../../kernel/types.js";

/** Declared foreign promises. What has settled is delivered when nothing else can go on, so that a run depends on the order of such ends alone. */
export class Externals {
  #pending = 0;
  /** Deliveries of those that have settled. */
  readonly #completed: (() => void)[] = [];

  /** How many are waited for. */
  get pending(): number {
    return this.#pending;
  }

  /** Delivers the one that settled first. False if there is none. */
  deliver(): boolean {
    const completed = this.#completed.shift();
    completed?.();
    return completed !== undefined;
  }

  wait<T>(promise: PromiseLike<T>, label: string | undefined, scope: Cancellable | undefined): Promise<T> {
    const begin = (parked: Parked<T>) => {
      let isPending = true;
      const over = () => {
        if (isPending) this.#pending--;
        isPending = false;
      };
      const complete = (deliver: () => void) => {
        if (!isPending) return;
        this.#completed.push(() => {
          over();
          deliver();
        });
      };
      this.#pending++;
      promise.then(
        (value) => complete(() => parked.wake(value)),
        (error: unknown) => complete(() => parked.fail(error)),
      );
      return over;
    };
    return park<T>(begin, { op: "external", on: label === undefined ? undefined : new External(label) }, scope);
  }
}

/** What a declared foreign promise is called in reports. */
class External {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
