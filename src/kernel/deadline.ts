import { cancellation } from "./cancelled.js";
import type { Timer } from "./runtime.js";
import type { CancelScope } from "./scope.js";

/** The deadline of a scope. Moving it makes a new one, so a timer's instant never changes in the heap. */
export class Deadline implements Timer {
  readonly at: number;
  order: number;
  live: boolean;
  readonly #scope: CancelScope;

  constructor(at: number, scope: CancelScope) {
    this.at = at;
    this.order = 0;
    this.live = false;
    this.#scope = scope;
  }

  get isDeadline(): boolean {
    return true;
  }

  fire(): void {
    const scope = this.#scope;
    scope._cancelWith(cancellation("deadline", scope._path, undefined, scope._tree));
  }
}
