import type { Ledger } from "../checks/ledger.js";

/** A value that has to be disposed by whoever has it in the end: by its receiver, or by the library where nobody received it. */
export class DisposableValue implements AsyncDisposable {
  readonly #ledger: Ledger;
  #isDisposed = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.begin("disposable");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ledger.check(!this.#isDisposed, () => "a value was disposed twice");
    this.#isDisposed = true;
    await Promise.resolve();
    this.#ledger.end("disposable");
  }
}
