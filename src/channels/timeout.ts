import { CallbackTimer } from "../kernel/callback-timer.js";
import type { CancelScope } from "../kernel/scope.js";
import { type Alternative, type Choice, type Enlisted, type Selectable, selectable } from "../kernel/selectable.js";
import { requireDuration } from "../kernel/validate.js";

/**
 * A case for `select`: it is chosen `ms` milliseconds after the `select` began, if nothing else has been by then. 0 means: if nothing else can be done at once.
 * The time counts in the scope of the `select`, by the clock of its run; a case that is not chosen, or is cancelled with it, leaves no timer.
 *
 * @throws RangeError for NaN and negative durations
 * @example const chosen = await select({ job: jobs, late: timeout(500) });
 */
export function timeout(ms: number): Selectable<void> {
  requireDuration(ms, "the time of timeout()");
  return { [selectable]: () => new TimingOut(ms) };
}

class TimingOut implements Alternative<void> {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Never before all the others have been asked. */
  isReady(): boolean {
    return false;
  }

  take(): void {}

  enlist(choice: Choice, { _runtime: runtime }: CancelScope): Enlisted {
    const timer = new CallbackTimer(runtime.now() + this.#ms, () => choice.wake(undefined));
    if (this.#ms === 0) choice.wake(undefined);
    else if (this.#ms < Number.POSITIVE_INFINITY) runtime.setTimer(timer);
    return {
      leave: () => {
        if (timer.live) runtime.clearTimer(timer);
      },
    };
  }
}
