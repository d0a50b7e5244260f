import fc from "fast-check";
import { expect, test } from "vitest";
import { Cancelled, CancelScope, now, park, ScopeEndedError, shield, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

type Action =
  | { readonly op: "cancel"; readonly scope: number }
  | { readonly op: "shield"; readonly scope: number; readonly on: boolean }
  | { readonly op: "deadline"; readonly scope: number; readonly ms: number }
  | { readonly op: "pass"; readonly ms: number }
  /** Reads the signal of a scope, and looks at it from now on. */
  | { readonly op: "look"; readonly scope: number };

interface Level {
  readonly timeout: number | undefined;
  readonly isShielded: boolean;
  /** Done in the scope before the next one inside is entered. */
  readonly before: readonly Action[];
  /** Done in the scope after the next one inside has ended. */
  readonly after: readonly Action[];
  /** Whether the code asks for a cancellation at its end. */
  readonly isAsking: boolean;
}

const scope = fc.nat(4);
const ms = fc.integer({ min: 0, max: 6 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant("cancel" as const), scope }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant("shield" as const), scope, on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("deadline" as const), scope, ms: fc.integer({ min: -1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("pass" as const), ms }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("look" as const), scope }) },
);
const level: fc.Arbitrary<Level> = fc.record({
  timeout: fc.option(ms, { nil: undefined, freq: 2 }),
  isShielded: fc.boolean(),
  before: fc.array(action, { maxLength: 3 }),
  after: fc.array(action, { maxLength: 3 }),
  isAsking: fc.boolean(),
});

type Life = "new" | "open" | "ended";

/** The rule, by definition: kept by going over all scopes from outside to inside after each action. */
class Model {
  readonly life: Life[];
  readonly shielded: boolean[];
  readonly deadlines: number[];
  readonly called: boolean[];
  /** Whether a cancellation from outside has been visible, ever: nothing takes that back. */
  readonly reached: boolean[];

  constructor(nest: readonly Level[]) {
    this.life = nest.map(() => "new");
    this.shielded = nest.map((level) => level.isShielded);
    this.deadlines = nest.map(() => Number.POSITIVE_INFINITY);
    this.called = nest.map(() => false);
    this.reached = nest.map(() => false);
  }

  isCancelled(i: number): boolean {
    return this.called[i] === true || this.reached[i] === true;
  }

  settle(): void {
    this.life.forEach((life, i) => {
      if (life !== "open") return;
      if ((this.deadlines[i] as number) <= now()) this.called[i] = true;
      if (i > 0 && this.shielded[i] === false && this.isCancelled(i - 1)) this.reached[i] = true;
    });
  }
}

class Nest {
  readonly #levels: readonly Level[];
  readonly #model: Model;
  readonly #scopes: readonly CancelScope[];
  readonly #reasons: unknown[] = [];
  /** How often what is parked in each scope was told of a cancellation. */
  readonly #told: number[];
  readonly #wasCancelledAtEnd: boolean[] = [];
  readonly #isLookedAt: boolean[] = [];

  constructor(levels: readonly Level[]) {
    this.#levels = levels;
    this.#model = new Model(levels);
    this.#scopes = levels.map(({ timeout, isShielded }) => new CancelScope({ timeout, shield: isShielded }));
    this.#told = levels.map(() => 0);
  }

  /** The whole life of the scope at `depth` and those inside. Throws what leaves it, and says whether that is as it should be. */
  async enter(depth: number): Promise<void> {
    const level = this.#levels[depth];
    if (level === undefined) return;
    const scope = this.#scopes[depth] as CancelScope;
    let hasThrown = false;
    try {
      await scope.run(async () => {
        this.#model.life[depth] = "open";
        if (scope.deadline !== Number.POSITIVE_INFINITY) this.#model.deadlines[depth] = scope.deadline;
        this.#parkIn(depth);
        this.check();
        for (const action of level.before) await this.#do(action);
        try {
          await this.enter(depth + 1);
          if (level.isAsking) scope.throwIfCancelled();
        } catch (error) {
          hasThrown = true;
          throw error;
        } finally {
          for (const action of level.after) await this.#do(action);
          this.#wasCancelledAtEnd[depth] = this.#model.isCancelled(depth);
        }
      });
    } catch (error) {
      this.#end(depth);
      expect([hasThrown, this.#catches(depth)]).toEqual([true, false]);
      expect(error).toBeInstanceOf(Cancelled);
      throw error;
    }
    this.#end(depth);
    expect(scope.cancelledCaught).toBe(hasThrown);
    expect(hasThrown && !this.#catches(depth)).toBe(false);
  }

  #end(depth: number): void {
    this.#model.life[depth] = "ended";
    this.check();
  }

  #catches(depth: number): boolean {
    return this.#model.called[depth] === true && this.#model.reached[depth] === false;
  }

  #parkIn(depth: number): void {
    park(
      () => () => {
        this.#told[depth] = (this.#told[depth] as number) + 1;
      },
      undefined,
      this.#scopes[depth],
    ).catch(() => {});
    // What is parked in a cancelled scope is refused, and need not be told.
    if (this.#model.isCancelled(depth) || (this.#scopes[depth] as CancelScope).effectiveDeadline === -Infinity) this.#told[depth] = 1;
  }

  async #do(action: Action): Promise<void> {
    if (action.op === "pass") await shield(() => sleep(action.ms));
    else {
      const scope = this.#scopes[action.scope];
      if (scope === undefined) return;
      const isNew = this.#model.life[action.scope] === "new";
      if (action.op === "look") this.#isLookedAt[action.scope] = true;
      else if (action.op === "cancel") {
        scope.cancel();
        this.#model.called[action.scope] = true;
      } else if (action.op === "shield") {
        scope.shield = action.on;
        this.#model.shielded[action.scope] = action.on;
      } else if (!isNew) {
        scope.deadline = now() + action.ms;
        this.#model.deadlines[action.scope] = now() + action.ms;
      }
    }
    this.check();
  }

  /** Everything that can be seen of the scopes, held against the model. */
  check(isAtEnd = false): void {
    // A deadline that has passed is committed by looking; from outside to inside, as timers would be.
    for (const scope of this.#scopes) void scope.cancelCalled;
    this.#model.settle();
    this.#scopes.forEach((scope, i) => {
      const life = this.#model.life[i] as Life;
      const isCancelled = life === "ended" ? this.#wasCancelledAtEnd[i] === true : this.#model.isCancelled(i);
      expect([i, scope.cancelCalled, scope.shield]).toEqual([i, this.#model.called[i], this.#model.shielded[i]]);
      expect([i, "-Infinity", scope.effectiveDeadline === Number.NEGATIVE_INFINITY]).toEqual([i, "-Infinity", isCancelled]);
      const refusal = refusalOf(scope);
      if (life === "ended") expect(refusal).toBeInstanceOf(ScopeEndedError);
      else if (isCancelled) expect(refusal).toBeInstanceOf(Cancelled);
      else expect(refusal).toBeUndefined();
      if (life === "open") expect([i, "told", this.#told[i]]).toEqual([i, "told", isCancelled ? 1 : 0]);
      // A signal that nobody has looked at is not made yet.
      if (this.#isLookedAt[i] === true || isAtEnd) this.#checkSignal(scope, i, isCancelled, life === "ended" ? undefined : refusal);
    });
  }

  #checkSignal({ signal }: CancelScope, i: number, isCancelled: boolean, refusal: unknown): void {
    expect([i, "aborted", signal.aborted]).toEqual([i, "aborted", isCancelled]);
    if (!isCancelled) return;
    this.#reasons[i] ??= signal.reason;
    expect(signal.reason).toBe(this.#reasons[i]);
    if (refusal !== undefined) expect(signal.reason).toBe(refusal);
  }
}

function refusalOf(scope: CancelScope): unknown {
  try {
    scope.throwIfCancelled();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("what is cancelled, what is hidden, and which scope catches, in any nest of shields that are raised and lowered at any time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(level, { minLength: 1, maxLength: 5 }), async (levels) => {
      await simulate(async () => {
        const nest = new Nest(levels);
        nest.check();
        await nest.enter(0);
        nest.check(true);
      });
    }),
    { numRuns: 1_000 },
  );
});
