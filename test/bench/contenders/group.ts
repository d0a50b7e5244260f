/** Children with a controller each. They are in a set, not listeners of one signal: those are searched from the first to the last by each addEventListener. */
export class Group {
  readonly #children = new Map<Promise<void>, AbortController>();
  #failure: { readonly error: unknown } | undefined;

  start(fn: (signal: AbortSignal) => Promise<unknown>): void {
    const controller = new AbortController();
    const running = this.#guard(fn, controller.signal);
    this.#children.set(running, controller);
    void running.then(() => this.#children.delete(running));
  }

  abort(error: unknown): void {
    this.#failure ??= { error };
    for (const controller of this.#children.values()) controller.abort(error);
  }

  async join(): Promise<void> {
    while (this.#children.size > 0) await Promise.all(this.#children.keys());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #guard(fn: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    try {
      await fn(signal);
    } catch (error) {
      if (this.#failure === undefined) this.abort(error);
    }
  }
}
