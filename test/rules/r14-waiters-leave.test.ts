import fc from "fast-check";
import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  CapacityLimiter,
  Event,
  Lock,
  openNursery,
  type Parked,
  park,
  Semaphore,
  shield,
  sleep,
  type Task,
} from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const KINDS = ["event", "lock", "semaphore", "limiter", "join", "park", "sleep"] as const;
type Kind = (typeof KINDS)[number];

/** Somebody who waits, in the scope of its group. */
interface Waiting {
  readonly kind: Kind;
  readonly group: number;
}

const GROUPS = 4;
const waiting: fc.Arbitrary<Waiting> = fc.record({ kind: fc.constantFrom(...KINDS), group: fc.nat(GROUPS - 1) });

class Queues {
  readonly event = new Event();
  readonly lock = new Lock();
  readonly semaphore = new Semaphore(0);
  readonly limiter = new CapacityLimiter(1);
  readonly parked: Parked<void>[] = [];
  readonly joined: Task;
  readonly #ends = new Event();

  constructor(start: (fn: () => Promise<void>) => Task) {
    this.joined = start(() => shield(() => this.#ends.wait()));
  }

  wait(kind: Kind): Promise<unknown> {
    switch (kind) {
      case "event":
        return this.event.wait();
      case "lock":
        return this.lock.acquire().then(() => this.lock.release());
      case "semaphore":
        return this.semaphore.acquire();
      case "limiter":
        return this.limiter.acquire();
      case "join":
        return this.joined.join();
      case "park":
        return park<void>((parked) => void this.parked.push(parked));
      case "sleep":
        return sleep(100);
    }
  }

  /** How many wait where that can be counted. */
  counts(): Partial<Record<Kind, number>> {
    return {
      event: this.event.statistics().tasksWaiting,
      lock: this.lock.statistics().tasksWaiting,
      semaphore: this.semaphore.statistics().tasksWaiting,
      limiter: this.limiter.statistics().tasksWaiting,
    };
  }

  /** Lets all who still wait go on: exactly as many permits as there are survivors. */
  letGo(survivors: number): void {
    this.event.set();
    this.lock.release();
    for (let i = 0; i < survivors; i++) this.semaphore.release();
    this.limiter.total = 1_000;
    this.#ends.set();
  }
}

test("whoever is cancelled has left its queue before cancel() returns: what is set, released or woken right after it reaches the others only, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(waiting, { maxLength: 24 }),
      fc.uniqueArray(fc.nat(GROUPS - 1)),
      schedules(),
      async (all, cancelled, schedule) => {
        const got: number[] = [];
        const refused: number[] = [];
        const survives = ({ group }: Waiting) => !cancelled.includes(group);
        const countOf = (kind: Kind, isCounted: (waiting: Waiting) => boolean) =>
          all.filter((one) => one.kind === kind && isCounted(one)).length;
        await simulate(
          async (nursery) => {
            const queues = new Queues((fn) => nursery.startSoon(fn));
            await queues.lock.acquire();
            await queues.limiter.acquire();
            const scopes = Array.from({ length: GROUPS }, () => new CancelScope());
            const gates = scopes.map(() => new Event());
            scopes.forEach((scope, group) => {
              nursery.startSoon(() =>
                scope.run(() =>
                  openNursery(async (inner) => {
                    for (const [i, one] of all.entries()) {
                      // One after the other over all groups, so that the order of arrival is that of the list.
                      if (one.group !== group) continue;
                      inner.startSoon(async () => {
                        await arrived(i);
                        try {
                          const wait = queues.wait(one.kind);
                          arrive(i + 1);
                          await wait;
                          got.push(i);
                        } catch (error) {
                          expect(error).toBeInstanceOf(Cancelled);
                          refused.push(i);
                          throw error;
                        }
                      });
                    }
                    await gates[group]?.wait();
                  }),
                ),
              );
            });
            const turns = all.map(() => new Event());
            const arrived = (i: number) => (turns[i] as Event).wait();
            const arrive = (i: number) => turns[i]?.set();
            arrive(0);
            await sleep(1);
            for (const group of cancelled) {
              (scopes[group] as CancelScope).cancel();
              const gone = cancelled.slice(0, cancelled.indexOf(group) + 1);
              const left = (one: Waiting) => !gone.includes(one.group);
              expect(queues.counts()).toEqual({
                event: countOf("event", left),
                lock: countOf("lock", left),
                semaphore: countOf("semaphore", left),
                limiter: countOf("limiter", left),
              });
            }
            queues.letGo(countOf("semaphore", survives));
            expect(queues.parked.map((parked) => parked.wake())).toEqual(all.filter((one) => one.kind === "park").map(survives));
            for (const gate of gates) gate.set();
            await sleep(200);
            expect(queues.semaphore.value).toBe(0);
            expect(queues.limiter.borrowed).toBe(1 + countOf("limiter", survives));
            expect(queues.lock.statistics()).toMatchObject({ locked: false, tasksWaiting: 0 });
          },
          { pick: pickOf(schedule) },
        );
        const indices = [...all.keys()];
        expect([...got].sort((a, b) => a - b)).toEqual(indices.filter((i) => survives(all[i] as Waiting)));
        expect([...refused].sort((a, b) => a - b)).toEqual(indices.filter((i) => !survives(all[i] as Waiting)));
        // A lock lets them in one by one, so their order is that of arrival whatever the schedule.
        const locked = got.filter((i) => all[i]?.kind === "lock");
        expect(locked).toEqual([...locked].sort((a, b) => a - b));
      },
    ),
    { numRuns: 200 },
  );
});

test("a wait that was ended before the cancellation delivers, also if it is cancelled in the same breath", async () => {
  await simulate(async (nursery) => {
    const event = new Event();
    const semaphore = new Semaphore(0);
    const scope = new CancelScope();
    const tasks: Task<unknown>[] = [];
    nursery.startSoon(() =>
      scope.run(() =>
        openNursery((inner) => {
          tasks.push(
            inner.startSoon(() => event.wait().then(() => "set")),
            inner.startSoon(() => semaphore.acquire().then(() => "acquired")),
          );
        }),
      ),
    );
    await sleep(1);
    event.set();
    semaphore.release();
    scope.cancel();
    expect(await Promise.all(tasks.map((task) => task.join()))).toEqual(["set", "acquired"]);
    expect(semaphore.value).toBe(0);
  });
});
