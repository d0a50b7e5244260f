import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, Condition, checkpoint, currentTask, isCancellation, Lock, sleep, type Task } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

type Act = { readonly op: "wait" } | { readonly op: "notify"; readonly n: number } | { readonly op: "hold"; readonly ms: number };

/** One task of a random program. Times are small, so that many things meet. */
interface Actor {
  readonly arrives: number;
  /** Which of two conditions around one lock it uses. */
  readonly condition: 0 | 1;
  /** What it does each time it has the lock. */
  readonly sections: readonly (readonly Act[])[];
  /** All are cancelled in the end, because nobody may ever notify them. */
  readonly cancelledAt: number;
}

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ op: fc.constant("wait" as const) }),
  fc.record({ op: fc.constant("notify" as const), n: fc.constantFrom(0, 1, 1, 2, Number.POSITIVE_INFINITY) }),
  fc.record({ op: fc.constant("hold" as const), ms: fc.nat({ max: 3 }) }),
);

const actors: fc.Arbitrary<Actor[]> = fc.array(
  fc.record({
    arrives: fc.nat({ max: 6 }),
    condition: fc.constantFrom(0, 0, 0, 1),
    sections: fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
    cancelledAt: fc.oneof(fc.nat({ max: 20 }), fc.constant(60)),
  }),
  { minLength: 2, maxLength: 8 },
);

/** What must happen, told by a model that knows nothing of the implementation. A cancelled one in line has to be told of that when it gets the lock. */
class Referee {
  owner: number | undefined = undefined;
  #line: { readonly who: number; readonly from: "acquire" | "wait"; readonly isCancelled: boolean }[] = [];
  readonly #waiting: [number[], number[]] = [[], []];
  readonly #told = new Map<number, "goes on" | "is cancelled">();

  get inLine(): number {
    return this.#line.length;
  }

  waitingAt(condition: 0 | 1): number {
    return this.#waiting[condition].length;
  }

  acquires(who: number): void {
    this.#line.push({ who, from: "acquire", isCancelled: false });
    this.#admit();
  }

  releases(who: number): void {
    expect(this.owner).toBe(who);
    this.owner = undefined;
    this.#admit();
  }

  waits(who: number, condition: 0 | 1): void {
    this.#waiting[condition].push(who);
    this.releases(who);
  }

  notifies(condition: 0 | 1, n: number): void {
    for (const who of this.#waiting[condition].splice(0, n)) this.#line.push({ who, from: "wait", isCancelled: false });
  }

  /** At the very instant at which its scope is cancelled. */
  isCancelled(who: number): void {
    const place = this.#line.findIndex((each) => each.who === who);
    const entry = this.#line[place];
    if (entry !== undefined) {
      if (entry.isCancelled) return;
      this.#line.splice(place, 1);
      if (entry.from === "acquire") return;
    } else if (!this.#leaves(who)) return;
    this.#line.push({ who, from: "wait", isCancelled: true });
    this.#admit();
  }

  /** An acquire or a wait of `who` has come to its end. */
  ends(who: number, how: "goes on" | "is cancelled"): void {
    expect([this.owner, this.#told.get(who)]).toEqual([who, how]);
  }

  /** An acquire of `who` was cancelled. */
  givesUp(who: number): void {
    expect(this.owner).not.toBe(who);
    expect(this.#line.map((each) => each.who)).not.toContain(who);
  }

  #leaves(who: number): boolean {
    for (const queue of this.#waiting) {
      const place = queue.indexOf(who);
      if (place >= 0) {
        queue.splice(place, 1);
        return true;
      }
    }
    return false;
  }

  #admit(): void {
    if (this.owner !== undefined) return;
    const next = this.#line.shift();
    if (next === undefined) return;
    this.owner = next.who;
    this.#told.set(next.who, next.isCancelled ? "is cancelled" : "goes on");
  }
}

test("CO1-CO4, FA1, FA2, FA3, FA5, FA6, R6, R11: whoever waits, notifies and is cancelled when, at any order of wake-ups", async () => {
  const seen = { woken: 0, cancelled: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(actors, schedules(), async (program, schedule) => {
      const lock = new Lock();
      const conditions = [new Condition(lock), new Condition(lock)] as const;
      const referee = new Referee();
      const tasks: Task[] = [];

      const check = () => {
        const { owner, tasksWaiting } = lock.statistics();
        expect(owner && tasks.indexOf(owner)).toBe(referee.owner);
        expect(tasksWaiting).toBe(referee.inLine);
        for (const i of [0, 1] as const) expect(conditions[i].statistics().tasksWaiting).toBe(referee.waitingAt(i));
      };

      const perform = async (who: number, which: 0 | 1, act: Act, scope: CancelScope) => {
        check();
        if (act.op === "hold") return act.ms === 0 ? checkpoint() : sleep(act.ms);
        if (act.op === "notify") {
          referee.notifies(which, act.n);
          if (act.n === Number.POSITIVE_INFINITY) conditions[which].notifyAll();
          else conditions[which].notify(act.n);
          return check();
        }
        referee.waits(who, which);
        if (scope.signal.aborted) {
          referee.isCancelled(who);
          seen.refused++;
        }
        try {
          await conditions[which].wait();
        } catch (error) {
          expect(error).toBe(scope.signal.reason);
          referee.ends(who, "is cancelled");
          seen.cancelled++;
          check();
          throw error;
        }
        referee.ends(who, "goes on");
        seen.woken++;
        check();
      };

      const section = async (who: number, { condition: which }: Actor, acts: readonly Act[], scope: CancelScope) => {
        const condition = conditions[which];
        scope.throwIfCancelled();
        referee.acquires(who);
        try {
          await condition.acquire();
        } catch (error) {
          referee.givesUp(who);
          throw error;
        }
        referee.ends(who, "goes on");
        try {
          for (const each of acts) await perform(who, which, each, scope);
        } catch (error) {
          // A wait in a cancelled scope, once more: it gives those in line their turn, and throws all the same.
          if (isCancellation(error) && acts.length > 2) await perform(who, which, { op: "wait" }, scope).catch(() => {});
          throw error;
        } finally {
          referee.releases(who);
          condition.release();
          check();
        }
      };

      await simulate(
        (nursery) => {
          for (const [who, actor] of program.entries()) {
            const scope = new CancelScope({ timeout: actor.cancelledAt });
            scope.signal.addEventListener("abort", () => referee.isCancelled(who));
            tasks.push(
              nursery.startSoon(() =>
                scope.run(async () => {
                  expect(tasks[who]).toBe(currentTask());
                  await sleep(actor.arrives);
                  for (const acts of actor.sections) await section(who, actor, acts, scope);
                }),
              ),
            );
          }
        },
        { pick: pickOf(schedule) },
      );
      check();
      expect([referee.owner, referee.inLine, referee.waitingAt(0), referee.waitingAt(1)]).toEqual([undefined, 0, 0, 0]);
    }),
    { numRuns: 1_000 },
  );
  // The programs do what they are for.
  expect(Math.min(seen.woken, seen.cancelled, seen.refused)).toBeGreaterThan(100);
});
