import type { Timer } from "./runtime.js";

/** A timer that calls back, synchronously, in no scope in particular. */
export class CallbackTimer implements Timer {
  readonly at: number;
  order = 0;
  live = false;
  readonly isDeadline = false;
  readonly fire: () => void;

  constructor(at: number, fire: () => void) {
    this.at = at;
    this.fire = fire;
  }
}
