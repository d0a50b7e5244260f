import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, now, openNursery, run, sleep, sleepForever, sleepUntil } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf } from "./support.js";

const never = Number.POSITIVE_INFINITY;

describe("DL9: at one instant", () => {
  test("all scopes that expire are cancelled before any task runs, so the outermost catches", async () => {
    const outer = new CancelScope({ timeout: 5 });
    const inner = new CancelScope({ timeout: 5 });
    await simulate(() => outer.run(() => inner.run(() => sleepForever())));
    expect([outer.cancelledCaught, inner.cancelledCaught]).toEqual([true, false]);
  });

  test("whichever of them was entered, or moved, first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (order) => {
        const scopes = order.map(() => new CancelScope());
        const descend = (i: number): Promise<unknown> => {
          if (i < scopes.length) return (scopes[i] as CancelScope).run(() => descend(i + 1));
          for (const n of order) (scopes[n] as CancelScope).deadline = 5;
          return sleepForever();
        };
        await simulate(() => descend(0));
        expect(scopes.map(({ cancelledCaught }) => cancelledCaught)).toEqual([true, false, false, false]);
      }),
    );
  });

  test("a deadline comes before a sleeper: moveOnAfter(5) around sleep(5) times out", async () => {
    expect(await simulate(() => moveOnAfter(5, () => sleep(5).then(() => "slept")))).toBe(undefined);
  });

  test("also if the sleep began before the scope", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      nursery.startSoon(() =>
        scope.run(async () => {
          await sleep(5);
          log.push("slept");
        }),
      );
      await checkpoint();
      scope.deadline = 5;
    });
    expect(log).toEqual([]);
  });
});

describe("DL10: sleeping no time", () => {
  test("is a checkpoint that does not block", async () => {
    await simulate(async () => {
      await sleep(0);
      await sleepUntil(0);
      await sleepUntil(-5);
      expect(now()).toBe(0);
    });
  });

  test("throws in a scope that has expired", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        await sleep(5);
        scope.deadline = 5;
        expect(await rejectionOf(sleep(0))).toBe(scope.signal.reason);
        expect(await rejectionOf(sleepUntil(0))).toBe(scope.signal.reason);
      }),
    );
  });
});

test("DL11: sleepForever() and sleep(Infinity) end by a cancellation only", async () => {
  await simulate(async () => {
    for (const sleeping of [() => sleepForever(), () => sleep(never), () => sleepUntil(never)]) {
      const before = now();
      expect(await moveOnAfter(1e15, sleeping)).toBe(undefined);
      expect(now()).toBe(before + 1e15);
    }
  });
});

describe("DL12: in real time", () => {
  test("a sleep is never early", async () => {
    await run(() =>
      openNursery(async (nursery) => {
        for (let i = 1; i <= 40; i++) {
          nursery.startSoon(async () => {
            const begin = now();
            await sleep(i / 2);
            expect(now() - begin).toBeGreaterThanOrEqual(i / 2);
          });
        }
      }),
    );
  });

  test("nor is a deadline", async () => {
    await run(() =>
      openNursery(async (nursery) => {
        for (let i = 1; i <= 40; i++) {
          nursery.startSoon(async () => {
            const begin = now();
            await moveOnAfter(i / 2, () => sleepForever());
            expect(now() - begin).toBeGreaterThanOrEqual(i / 2);
          });
        }
      }),
    );
  });
});

test("in real time, a deadline that is found overdue leaves the others as they are", async () => {
  const log: string[] = [];
  await run(async (nursery) => {
    nursery.startSoon(() => sleep(20).then(() => log.push("sleeper")));
    await checkpoint();
    await moveOnAfter(2, async (scope) => {
      while (now() < scope.deadline);
      await checkpoint();
    });
    log.push("deadline");
  });
  expect(log).toEqual(["deadline", "sleeper"]);
});
