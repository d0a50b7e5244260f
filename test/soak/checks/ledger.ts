import { Trace } from "./trace.js";

/** What is counted while it is open: each has to be 0 whenever the application is at rest. */
export type Counted = "request" | "task" | "disposable" | "cleanup" | "generator" | "inside a resource";

/** What went wrong: that something did which must never happen. */
export interface Violation {
  readonly what: string;
  readonly trace: readonly string[];
}

/** Keeps account of what was begun and has not ended, and of every broken invariant. */
export class Ledger {
  readonly trace = new Trace();
  readonly violations: Violation[] = [];
  readonly #open = new Map<Counted, number>();
  /** How often each handler has run, and how it ended. */
  readonly ends = new Map<string, number>();
  operations = 0;
  /** Requests that the server has taken. */
  accepted = 0;
  /** Of the deadlines that passed: by how many ms each was reported late. */
  readonly lateness = { count: 0, sum: 0, most: 0 };

  /** The first ones say it all. */
  violated(what: string): void {
    if (this.violations.length < 5) this.violations.push({ what, trace: this.trace.last() });
  }

  check(holds: boolean, what: () => string): void {
    if (!holds) this.violated(what());
  }

  begin(what: Counted): void {
    this.#open.set(what, (this.#open.get(what) ?? 0) + 1);
  }

  end(what: Counted): void {
    const left = (this.#open.get(what) ?? 0) - 1;
    this.#open.set(what, left);
    this.check(left >= 0, () => `a ${what} has ended that had not begun`);
  }

  late(ms: number): void {
    this.lateness.count++;
    this.lateness.sum += ms;
    if (ms > this.lateness.most) this.lateness.most = ms;
  }

  note(handler: string, end: string): void {
    const key = `${handler}: ${end}`;
    this.ends.set(key, (this.ends.get(key) ?? 0) + 1);
    this.operations++;
  }

  /** While nothing is under way. */
  checkAtRest(): void {
    for (const [what, count] of this.#open) this.check(count === 0, () => `at rest, and ${count} of kind "${what}" have not ended`);
  }
}
