import type { EventName, Source } from "./event-source.js";

/** The listeners of one who listens to a source: none is called after they were removed, and none stays behind. */
export class Listeners {
  readonly #source: Source;
  readonly #stops: (() => void)[] = [];
  #isOpen = true;

  constructor(source: Source) {
    this.#source = source;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The listener may be called at once, and may have all of them removed. */
  on(name: EventName, listener: (args: unknown[]) => void): void {
    if (!this.#isOpen) return;
    this.#stops.push(
      this.#source.listen(name, (...args) => {
        if (this.#isOpen) listener(args);
      }),
    );
    if (!this.#isOpen) this.removeAll();
  }

  removeAll(): void {
    this.#isOpen = false;
    for (const stop of this.#stops.splice(0)) stop();
  }
}
