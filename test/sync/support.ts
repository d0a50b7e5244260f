import fc from "fast-check";
import { expect } from "vitest";
import {
  type Cancellable,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  Lock,
  type Nursery,
  Semaphore,
  sleep,
  WouldBlock,
} from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** What lock, semaphore and limiter have in common. */
export interface Acquirable {
  acquire(scope?: Cancellable): Promise<void>;
  acquireNowait(scope?: Cancellable): void;
  release(scope?: Cancellable): void;
  run<T>(body: () => T | PromiseLike<T>, scope?: Cancellable): Promise<T>;
  statistics(): { readonly tasksWaiting: number };
}

export interface Kind {
  readonly name: string;
  /** One that `n` may hold at a time; a lock for 1. */
  readonly make: (n: number) => Acquirable;
  /** How many hold it. */
  readonly held: (one: Acquirable, n: number) => number;
  readonly most: number;
}

export const kinds: Kind[] = [
  { name: "Lock", make: () => new Lock(), held: (one) => ((one as Lock).isLocked ? 1 : 0), most: 1 },
  { name: "Semaphore", make: (n) => new Semaphore(n), held: (one, n) => n - (one as Semaphore).value, most: 3 },
  { name: "CapacityLimiter", make: (n) => new CapacityLimiter(n), held: (one) => (one as CapacityLimiter).borrowed, most: 3 },
];

/** One task of a random program. Times are small, so that many things meet. */
export interface Contender {
  readonly arrives: number;
  readonly holds: number;
  readonly rounds: number;
  /** When it is cancelled, if it is. */
  readonly cancelledAt: number | undefined;
  readonly how: "acquire" | "run" | "nowait";
}

export const contenders: fc.Arbitrary<Contender[]> = fc.array(
  fc.record({
    arrives: fc.nat({ max: 4 }),
    holds: fc.nat({ max: 3 }),
    rounds: fc.integer({ min: 1, max: 3 }),
    cancelledAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
    how: fc.constantFrom("acquire", "run", "nowait"),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What must happen, told by a model that knows nothing of the implementation: who has it, and who is next. */
export class Referee {
  readonly #n: number;
  readonly #granted = new Set<number>();
  readonly #queue: number[] = [];
  /** How many act as if they had it. */
  holding = 0;

  constructor(n: number) {
    this.#n = n;
  }

  get isFree(): boolean {
    return this.#granted.size < this.#n && this.#queue.length === 0;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  asks(who: number): void {
    if (this.isFree) this.#granted.add(who);
    else this.#queue.push(who);
  }

  has(who: number): void {
    this.holding++;
    expect([...this.#granted]).toContain(who);
    expect(this.holding).toBeLessThanOrEqual(this.#n);
  }

  givesBack(who: number): void {
    this.holding--;
    this.#granted.delete(who);
    const next = this.#queue.shift();
    if (next !== undefined) this.#granted.add(next);
  }

  /** At the very instant at which its scope is cancelled. What it was granted by then it gets. */
  isCancelled(who: number): void {
    const place = this.#queue.indexOf(who);
    if (place >= 0) this.#queue.splice(place, 1);
  }

  givesUp(who: number): void {
    expect([...this.#granted]).not.toContain(who);
  }
}

/** Runs the program under the eyes of a referee. */
export async function contend(
  one: Acquirable,
  n: number,
  program: readonly Contender[],
  pick: ((n: number) => number) | undefined,
): Promise<void> {
  const referee = new Referee(n);
  const round = async (who: number, { how, holds }: Contender, scope: CancelScope) => {
    let hasIt = false;
    const body = async () => {
      hasIt = true;
      referee.has(who);
      try {
        await (holds === 0 ? checkpoint() : sleep(holds));
      } finally {
        referee.givesBack(who);
      }
    };
    const acquired = async () => {
      try {
        await body();
      } finally {
        one.release();
      }
    };
    scope.throwIfCancelled();
    if (how === "nowait") {
      if (!referee.isFree) {
        expect(thrownBy(() => one.acquireNowait())).toBeInstanceOf(WouldBlock);
        return;
      }
      referee.asks(who);
      one.acquireNowait();
      await acquired();
      return;
    }
    referee.asks(who);
    try {
      await (how === "run" ? one.run(body) : one.acquire().then(acquired));
    } catch (error) {
      if (!hasIt) referee.givesUp(who);
      throw error;
    }
  };
  await simulate(
    (nursery: Nursery) => {
      program.forEach((contender, who) => {
        const scope = new CancelScope(contender.cancelledAt === undefined ? {} : { timeout: contender.cancelledAt });
        scope.signal.addEventListener("abort", () => referee.isCancelled(who));
        nursery.startSoon(() =>
          scope.run(async () => {
            await sleep(contender.arrives);
            for (let i = 0; i < contender.rounds; i++) {
              expect(one.statistics().tasksWaiting).toBe(referee.waiting);
              await round(who, contender, scope);
            }
          }),
        );
      });
    },
    pick === undefined ? {} : { pick },
  );
  expect([referee.holding, referee.waiting]).toEqual([0, 0]);
}
