import type { CancelScope } from "../../../src/index.js";
import { waitGraph } from "../../../src/kernel/wait-graph.js";
import type { Ledger } from "./ledger.js";

/** Notices that nothing goes on any more: no round has begun or ended for a long time. Then it says who waits for what, and `barked` resolves. */
export class Watchdog {
  readonly barked: Promise<void>;
  readonly #ledger: Ledger;
  readonly #patience: number;
  #bark: () => void = () => {};
  #timer: NodeJS.Timeout | undefined = undefined;

  /** @param patience in ms */
  constructor(patience: number, ledger: Ledger) {
    this.#patience = patience;
    this.#ledger = ledger;
    this.barked = new Promise((resolve) => {
      this.#bark = resolve;
    });
  }

  /** Something has gone on. */
  calm(root: CancelScope): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const { waiting, elsewhere } = waitGraph(root);
      const lines = waiting.map(({ task, op, on }) => `  ${task} waits: ${op} ${on}`);
      for (const task of elsewhere) lines.push(`  ${task} waits for something that is not of the library`);
      this.#ledger.violated(`nothing has ended for ${this.#patience} ms:\n${lines.join("\n")}`);
      this.#bark();
    }, this.#patience);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
