import fc from "fast-check";
import { expect, test } from "vitest";
import { Cancelled, CancelScope, type Nursery, now, openNursery, shield, sleep, Task } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** One scope of a nest, and what its code does when the scope inside it has ended. A task is the whole contents of the nursery around it. */
interface Level {
  readonly kind: "scope" | "nursery" | "task";
  readonly shield: boolean;
  readonly cancelledFirst: boolean;
  /** How long its `finally` takes, in a shield: so more can happen while a cancellation is on its way. */
  readonly cleanup: number;
  /** Whether it keeps what comes from inside. */
  readonly swallows: boolean;
  /** How long it waits then. */
  readonly rest: number;
}

/** Done from outside of the nest. No two happen at one instant. */
interface Action {
  readonly at: number;
  readonly level: number;
  readonly what: "cancel" | "deadline" | "shield" | "unshield";
}

interface Nest {
  /** From the outside in. */
  readonly levels: readonly Level[];
  readonly actions: readonly Action[];
}

/** How a scope ended: by itself, by catching its own cancellation, or by passing one on; whether its own was called, and when. */
interface End {
  readonly how: "itself" | "caught" | "passed";
  readonly called: boolean;
  readonly at: number;
}

/** What the innermost code waits for. */
const LONG = 5;

const QUIET = { kind: "nursery", shield: false, cancelledFirst: false, cleanup: 0, swallows: false, rest: 0 } as const;

const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
const once = (n: number) => fc.nat(n - 1).map((i) => i === 0);
const level = record<Level>({
  kind: fc.constantFrom("scope", "scope", "nursery", "task"),
  shield: once(4),
  cancelledFirst: once(10),
  cleanup: fc.nat(3),
  swallows: once(6),
  rest: fc.nat(3),
});
const action = record<Action>({
  at: fc.nat(9),
  level: fc.nat(6),
  what: fc.constantFrom("cancel", "cancel", "deadline", "shield", "unshield"),
});
const nests = record<Nest>({
  levels: fc
    .array(level, { minLength: 1, maxLength: 5 })
    .map((levels) => levels.flatMap((level) => (level.kind === "task" ? [QUIET, level] : [level]))),
  actions: fc
    .array(action, { maxLength: 7 })
    .map((actions) => actions.map((action, i) => ({ ...action, at: action.at + (i + 1) / 64 })).sort((a, b) => a.at - b.at)),
});

const CANCELLED = Symbol("cancelled");

interface State {
  shield: boolean;
  called: boolean;
  cancelled: boolean;
  /** A cancellation from outside has reached it. */
  outside: boolean;
  ended: boolean;
}

/** R7 and R10 as they are written, for one nest of scopes and whole milliseconds, without any of the library's notions. */
class Model {
  readonly ends: End[] = [];
  readonly #levels: readonly Level[];
  readonly #scopes: State[] = [];
  readonly #actions: Action[];
  #now = 0;

  constructor({ levels, actions }: Nest) {
    this.#levels = levels;
    this.#actions = [...actions];
  }

  run(): readonly End[] {
    this.#enter(0);
    for (const { at } of [...this.#actions]) this.#pass(at);
    return this.ends.map((end, i) => ({ ...end, called: this.#scope(i).called }));
  }

  #scope(i: number): State {
    return this.#scopes[i] as State;
  }

  #enter(i: number): void {
    const { kind, shield, cancelledFirst } = this.#levels[i] as Level;
    const scope: State = { shield: false, called: false, cancelled: false, outside: false, ended: false };
    // Only a scope can be prepared before it is entered.
    if (kind === "scope") scope.shield = shield;
    this.#scopes.push(scope);
    this.#spread();
    scope.shield = shield;
    scope.called = cancelledFirst;
    this.#spread();
    let how: End["how"] = "itself";
    try {
      this.#code(i);
    } catch (error) {
      if (error !== CANCELLED) throw error;
      const { called, outside } = this.#scope(i);
      how = called && !outside ? "caught" : "passed";
    }
    this.#scope(i).ended = true;
    this.ends[i] = { how, called: false, at: this.#now };
    if (how === "passed") throw CANCELLED;
  }

  #code(i: number): void {
    const { swallows, cleanup, rest } = this.#levels[i] as Level;
    if (this.#levels[i + 1]?.kind === "task") {
      this.#enter(i + 1);
      return;
    }
    let thrown: unknown;
    try {
      if (i + 1 < this.#levels.length) this.#enter(i + 1);
      else this.#wait(i, LONG);
    } catch (error) {
      thrown = error;
    }
    this.#pass(this.#now + cleanup);
    if (thrown !== undefined && !swallows) throw thrown;
    this.#wait(i, rest);
  }

  /** What has been delivered cannot be taken back, so everything but the shield only ever goes on. */
  #spread(): void {
    for (const [i, scope] of this.#scopes.entries()) {
      scope.outside ||= i > 0 && !scope.shield && this.#scope(i - 1).cancelled;
      scope.cancelled ||= scope.called || scope.outside;
    }
  }

  #act({ level, what }: Action): void {
    const scope = this.#scope(level % this.#levels.length);
    if (what === "cancel" || (what === "deadline" && !scope.ended)) scope.called = true;
    if (what === "shield" || what === "unshield") scope.shield = what === "shield";
    if (!scope.ended) this.#spread();
  }

  #wait(i: number, ms: number): void {
    const end = this.#now + ms;
    while (!this.#scope(i).cancelled && (this.#actions[0]?.at ?? end) < end) this.#pass((this.#actions[0] as Action).at);
    if (this.#scope(i).cancelled) throw CANCELLED;
    this.#now = end;
  }

  #pass(until: number): void {
    for (let next = this.#actions[0]; next !== undefined && next.at <= until; next = this.#actions[0]) {
      this.#actions.shift();
      this.#act(next);
    }
    this.#now = Math.max(this.#now, until);
  }
}

/** The same with the library. */
async function actual({ levels, actions }: Nest, schedule: number): Promise<End[]> {
  const scopes: CancelScope[] = [];
  const ends: Omit<End, "called">[] = [];

  async function enter(i: number): Promise<void> {
    const { kind, shield, cancelledFirst } = levels[i] as Level;
    const begin = (scope: CancelScope) => {
      scopes[i] = scope;
      scope.shield = shield;
      if (cancelledFirst) scope.cancel();
    };
    try {
      if (kind === "nursery") {
        await openNursery((nursery) => {
          begin(nursery);
          return code(i, nursery);
        });
      } else {
        const scope = new CancelScope();
        begin(scope);
        await scope.run(() => code(i, undefined));
      }
      ended(i);
    } catch (error) {
      expect(error).toBeInstanceOf(Cancelled);
      ended(i, "passed");
      throw error;
    }
  }

  function ended(i: number, how?: "passed"): void {
    const scope = scopes[i] as CancelScope;
    if (how === "passed") expect(scope.cancelledCaught).toBe(false);
    ends[i] = { how: how ?? (scope.cancelledCaught ? "caught" : "itself"), at: now() };
  }

  async function code(i: number, nursery: Nursery | undefined): Promise<void> {
    const { swallows, cleanup, rest } = levels[i] as Level;
    if (nursery !== undefined && levels[i + 1]?.kind === "task") return spawn(i + 1, nursery);
    try {
      try {
        await (i + 1 < levels.length ? enter(i + 1) : sleep(LONG));
      } finally {
        await shield(() => sleep(cleanup));
      }
    } catch (error) {
      if (!swallows) throw error;
    }
    await sleep(rest);
  }

  function spawn(i: number, nursery: Nursery): void {
    const task = nursery.startSoon(async () => {
      task.defer(() => {
        // The last that can be seen of a task: whether it catches is told when its nursery has ended.
        ends[i] = { how: "itself", at: now() };
      });
      await code(i, undefined);
    });
    scopes[i] = task;
    task.shield = (levels[i] as Level).shield;
    if ((levels[i] as Level).cancelledFirst) task.cancel();
  }

  await simulate(
    async (root) => {
      root.startSoon(async () => {
        for (const { at, level, what } of actions) {
          await sleep(at - now());
          const scope = scopes[level % levels.length] as CancelScope;
          if (what === "cancel") scope.cancel();
          else if (what === "deadline") scope.deadline = now();
          else scope.shield = what === "shield";
        }
      });
      await enter(0);
    },
    { pick: pickOf(schedule) },
  );
  return ends.map(({ how, at }, i) => {
    const scope = scopes[i] as CancelScope;
    const isCancelledTask = scope instanceof Task && scope.state === "cancelled";
    return { how: isCancelledTask ? (scope.cancelledCaught ? "caught" : "passed") : how, called: scope.cancelCalled, at };
  });
}

test("R7: a scope catches a cancellation iff its own was called and none from outside has reached it; whatever is raised or lowered meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(nests, schedules(), async (nest, schedule) => {
      expect(await actual(nest, schedule)).toEqual(new Model(nest).run());
    }),
    { numRuns: 2500 },
  );
});
