import fc from "fast-check";
import { type Cancellable, Cancelled, type CancelScope, checkpoint, isCancellation, shield, sleep } from "../../src/index.js";
import { isCancelled } from "../support/log.js";

/** What one function of a random program does. Times are small, so that many things meet. */
export interface Job {
  /** Milliseconds of work; for 0 it awaits nothing. */
  readonly works: number;
  readonly ends: "value" | "resource" | "throw" | "same" | "undefined" | "cancels itself";
  /** When it is cancelled, it returns a value, or a resource, all the same. */
  readonly isStubborn: boolean;
  /** Milliseconds of shielded clean-up. */
  readonly tidies: number;
  readonly failsTidying: boolean;
  /** Its resource cannot be disposed without an error. */
  readonly failsDisposing: boolean;
}

export const jobs: fc.Arbitrary<Job> = fc.record({
  works: fc.nat({ max: 4 }),
  ends: fc.constantFrom("value", "value", "resource", "resource", "throw", "same", "undefined", "cancels itself"),
  isStubborn: fc.boolean(),
  tidies: fc.nat({ max: 2 }),
  failsTidying: fc.nat({ max: 5 }).map((n) => n === 0),
  failsDisposing: fc.boolean(),
});

/** Something that has to be disposed if nobody gets it. */
export class Resource implements AsyncDisposable {
  disposals = 0;
  readonly of: number;
  readonly #error: Error | undefined;

  constructor(of: number, failsDisposing: boolean) {
    this.of = of;
    this.#error = failsDisposing ? new Error(`disposing ${of}`) : undefined;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposals++;
    await Promise.resolve();
    if (this.#error !== undefined) throw this.#error;
  }
}

/** How a function has ended. A cancellation is its own, if the function cancelled its scope and nobody else had cancelled that. */
export interface End {
  readonly of: number;
  readonly how: "value" | "failure" | "own cancellation" | "cancellation";
  /** The value, or what was thrown. */
  readonly what: unknown;
}

export class Journal {
  /** In the order in which they happened. */
  readonly ends: End[] = [];
  /** Those that were returned. */
  readonly resources: Resource[] = [];
  /** How many functions run. */
  running = 0;
  begun = 0;
  readonly #same = new Error("the same");

  /** What the job does, as a function for a combinator. */
  work(job: Job, of: number, at: (scope: CancelScope) => Cancellable | undefined): (scope: CancelScope) => Promise<unknown> {
    return async (scope) => {
      this.running++;
      this.begun++;
      try {
        const what = await this.#do(job, of, scope, at);
        this.ends.push({ of, how: "value", what });
        if (what instanceof Resource) this.resources.push(what);
        return what;
      } catch (what) {
        this.ends.push({ of, how: howOf(what, scope), what });
        throw what;
      } finally {
        this.running--;
      }
    };
  }

  async #do(job: Job, of: number, scope: CancelScope, at: (scope: CancelScope) => Cancellable | undefined): Promise<unknown> {
    try {
      if (job.works > 0) await sleep(job.works, at(scope));
      return await this.#end(job, of, scope, at);
    } catch (error) {
      if (job.isStubborn && isCancellation(error, scope)) return this.#valueOf(job, of);
      throw error;
    } finally {
      if (job.tidies > 0) await shield((inner) => sleep(job.tidies, inner), { signal: scope.signal });
      if (job.failsTidying) fail(`tidying ${of}`);
    }
  }

  async #end(job: Job, of: number, scope: CancelScope, at: (scope: CancelScope) => Cancellable | undefined): Promise<unknown> {
    switch (job.ends) {
      case "throw":
        throw new Error(`thrown by ${of}`);
      case "same":
        throw this.#same;
      case "undefined":
        throw undefined;
      case "cancels itself":
        scope.cancel();
        return checkpoint(at(scope));
      default:
        return this.#valueOf(job, of);
    }
  }

  #valueOf(job: Job, of: number): unknown {
    return job.ends === "resource" ? new Resource(of, job.failsDisposing) : of;
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function howOf(error: unknown, scope: CancelScope): End["how"] {
  if (!(error instanceof Cancelled)) return "failure";
  return isCancelled(scope._parent as CancelScope) ? "cancellation" : "own cancellation";
}
