import fc from "fast-check";
import { expect, test } from "vitest";
import { checkpoint, Event, Lock, now, openNursery, run, sleep, sleepUntil } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const RUNTIMES = Object.entries({ "in production": run, "in simulated time": simulate });

test.each(RUNTIMES)("%s a task begins in the order of spawning, never inside startSoon", async (_, run) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ nursery: fc.nat(2), background: fc.boolean(), isAsync: fc.boolean() }), { maxLength: 30 }),
      async (spawns) => {
        const begun: number[] = [];
        await run(async (root) => {
          await openNursery(async (second) => {
            await openNursery(async (third) => {
              spawns.forEach(({ nursery, background, isAsync }, i) => {
                let isInside = true;
                const begin = () => {
                  expect(isInside).toBe(false);
                  begun.push(i);
                };
                const fn = isAsync ? async () => begin() : begin;
                const task = ([root, second, third][nursery] as typeof root).startSoon(fn, { background });
                isInside = false;
                expect(task.state).toBe("pending");
              });
              expect(begun).toEqual([]);
            });
          });
        });
        expect(begun).toEqual([...spawns.keys()]);
      },
    ),
    { numRuns: 100 },
  );
});

test("in production each task begins on a microtask of its own, between those that were queued around it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (isTask) => {
      const order: number[] = [];
      await run((nursery) => {
        isTask.forEach((isTask, i) => {
          const note = () => {
            order.push(i);
          };
          if (isTask) nursery.startSoon(note);
          else queueMicrotask(note);
        });
        expect(order).toEqual([]);
      });
      expect(order).toEqual([...isTask.keys()]);
    }),
  );
});

test.each(RUNTIMES)("%s the same holds for tasks that start", async (_, run) => {
  const log: string[] = [];
  await run(async (nursery) => {
    const starting = [0, 1, 2].map((i) =>
      nursery.start<number>(async (_task, started) => {
        log.push(`begun ${i}`);
        await checkpoint();
        started(i);
        log.push(`started ${i}`);
      }),
    );
    log.push("called");
    for (const start of starting) log.push(`got ${await start}`);
  });
  expect(log.slice(0, 4)).toEqual(["called", "begun 0", "begun 1", "begun 2"]);
  expect(log.filter((line) => line.startsWith("got"))).toEqual(["got 0", "got 1", "got 2"]);
});

test("whatever order a test chooses, a task begins once, and not before startSoon has returned", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 20 }), schedules(), async (count, schedule) => {
      const begun: number[] = [];
      await simulate(
        async (nursery) => {
          for (let i = 0; i < count; i++) nursery.startSoon(() => void begun.push(i));
          expect(begun).toEqual([]);
        },
        { pick: pickOf(schedule) },
      );
      expect([...begun].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    }),
  );
});

test.each(RUNTIMES)("%s a task spawned by a task that is beginning comes after those that were spawned before", async (_, run) => {
  const order: string[] = [];
  await run((nursery) => {
    nursery.startSoon(() => {
      order.push("a");
      nursery.startSoon(() => void order.push("a's"));
    });
    nursery.startSoon(() => void order.push("b"));
  });
  expect(order).toEqual(["a", "b", "a's"]);
});

test.each(
  RUNTIMES,
)("%s what one act wakes goes on in order of arrival: waiters of an event and of a lock, joins, sleepers of one instant", async (_, run) => {
  const order: Record<string, number[]> = { event: [], lock: [], join: [], sleep: [] };
  const note = (kind: string, i: number) => () => order[kind]?.push(i);
  await run(async (nursery) => {
    const event = new Event();
    const lock = new Lock();
    await lock.acquire();
    const joined = nursery.startSoon(() => event.wait());
    const instant = now() + 2;
    for (let i = 0; i < 5; i++) {
      nursery.startSoon(() => event.wait().then(note("event", i)));
      nursery.startSoon(() => lock.run(() => checkpoint().then(note("lock", i))));
      nursery.startSoon(() => joined.join().then(note("join", i)));
      nursery.startSoon(() => sleepUntil(instant).then(note("sleep", i)));
    }
    await sleep(1);
    event.set();
    lock.release();
  });
  for (const kind of Object.keys(order)) expect([kind, order[kind]]).toEqual([kind, [0, 1, 2, 3, 4]]);
});
