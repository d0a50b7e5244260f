import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, Event, moveOnAfter, now, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

describe("EV1: an event", () => {
  test("is not set at first, and stays set once it is; setting it again has no effect", () => {
    const event = new Event();
    expect(event.isSet).toBe(false);
    event.set();
    event.set();
    expect(event.isSet).toBe(true);
  });

  test("has no clear(): for the next time one makes the next event", () => {
    expect("clear" in new Event()).toBe(false);
  });

  test("lets those who come later go on at once, by a checkpoint", async () => {
    await simulate(async (nursery) => {
      const log: string[] = [];
      const event = new Event();
      event.set();
      nursery.startSoon(() => {
        log.push("other");
      });
      await event.wait();
      expect([log, now()]).toEqual([["other"], 0]);
    });
  });

  test("can be set and waited for outside any run, with a signal", async () => {
    const event = new Event();
    const waiting = event.wait({ signal: new AbortController().signal });
    event.set();
    await waiting;
  });
});

describe("set()", () => {
  test("EV1, FA1, R11: wakes all who wait, in order of arrival, except those who were cancelled", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 12 }), async (isCancelled) => {
        const log: number[] = [];
        await simulate(async (nursery) => {
          const event = new Event();
          const scopes = isCancelled.map(() => new CancelScope());
          scopes.forEach((scope, i) => {
            nursery.startSoon(() =>
              scope.run(async () => {
                await event.wait();
                log.push(i);
              }),
            );
          });
          await sleep(1);
          expect(event.statistics()).toEqual({ tasksWaiting: isCancelled.length });
          isCancelled.forEach((cancel, i) => {
            if (cancel) scopes[i]?.cancel();
          });
          expect(event.statistics()).toEqual({ tasksWaiting: isCancelled.filter((cancel) => !cancel).length });
          event.set();
          expect(event.statistics()).toEqual({ tasksWaiting: 0 });
        });
        expect(log).toEqual(isCancelled.flatMap((cancel, i) => (cancel ? [] : [i])));
      }),
    );
  });

  test("wakes each of them in any order of wake-ups", async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.nat({ max: 8 }), async (picks, n) => {
        const woken = new Set<number>();
        await simulate(
          async (nursery) => {
            const event = new Event();
            for (let i = 0; i < n; i++) nursery.startSoon(() => event.wait().then(() => woken.add(i)));
            await checkpoint();
            event.set();
          },
          { pick: (ready) => (picks.next().value as number) % ready },
        );
        expect(woken.size).toBe(n);
      }),
    );
  });
});

test("R6: whichever of set() and the deadline comes first at one instant has the say: the deadline does", async () => {
  await simulate(async (nursery) => {
    const event = new Event();
    nursery.startSoon(() => sleep(5).then(() => event.set()));
    expect(await moveOnAfter(5, () => event.wait().then(() => "set"))).toBe(undefined);
    expect(await moveOnAfter(5, () => event.wait().then(() => "set"))).toBe("set");
  });
});
