import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, checkpoint, type Nursery, now, openNursery, run, sleep, sleepUntil } from "../../src/index.js";
import { READY, WAITING } from "../support/operations.js";
import { simulate } from "../support/simulate.js";

/** Keeps the thread busy, so that no timer can report anything. */
function busyUntil(instant: number): void {
  while (performance.now() < instant);
}

interface Running {
  readonly run: (body: (root: Nursery) => Promise<void>) => Promise<void>;
  /** Has the deadline of `scope` pass without a timer's having had the chance to say so. */
  readonly overdue: (scope: CancelScope) => void;
}

const RUNTIMES: Readonly<Record<string, Running>> = {
  "in virtual time": {
    run: simulate,
    overdue: (scope) => {
      scope.deadline = now() - 1;
    },
  },
  "in real time": {
    run,
    overdue: (scope) => {
      scope.deadline = now() + 1;
      busyUntil(now() + 2);
    },
  },
};

describe.each(Object.entries(RUNTIMES))("R5, %s", (_, { run, overdue }) => {
  test.each(Object.entries(READY))("%s lets others run, although it need not wait", async (_, making) => {
    await run(async (root) => {
      const operations = [await making(root), await making(root), await making(root)];
      const steps = [0, 0, 0];
      await openNursery((nursery) => {
        for (const [i, { run }] of operations.entries()) {
          nursery.startSoon(async () => {
            for (let round = 1; round <= 5; round++) {
              steps[i] = round;
              // Nobody gets two steps ahead of another.
              expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
              await run();
            }
          });
        }
      });
      expect(steps).toEqual([5, 5, 5]);
    });
  });

  test.each(
    Object.entries({ ...READY, ...WAITING }),
  )("%s throws if a deadline has passed that no timer has reported", async (_, making) => {
    await run(async (root) => {
      const { run, effect } = await making(root);
      const scope = new CancelScope();
      const before = effect();
      await scope.run(async () => {
        overdue(scope);
        await run();
        expect.unreachable();
      });
      expect(scope.cancelledCaught).toBe(true);
      expect(effect()).toEqual(before);
    });
  });

  const LOOKING_AGAIN = {
    "checkpoint()": checkpoint,
    "sleep(0)": () => sleep(0),
    "sleepUntil() of an instant that has passed": () => sleepUntil(0),
  };

  test.each(Object.entries(LOOKING_AGAIN))("%s looks again when it goes on: what others did meanwhile counts", async (_, wait) => {
    await run(async () => {
      for (const cancel of [overdue, (scope: CancelScope) => scope.cancel()]) {
        const scope = new CancelScope();
        let error: unknown;
        await openNursery(async (nursery) => {
          await scope.run(async () => {
            nursery.startSoon(() => cancel(scope));
            await wait().catch((thrown) => {
              error = thrown;
            });
          });
        });
        expect(error).toBeInstanceOf(Cancelled);
      }
    });
  });
});

describe("R5: entering and leaving are no checkpoints", () => {
  const entering: Readonly<Record<string, (scope: CancelScope) => Promise<unknown>>> = {
    "openNursery()": (scope) => openNursery(() => "value", scope),
    "scope.run()": (scope) => new CancelScope().run(() => "value", scope),
    "run()": (scope) => run(() => "value", scope),
  };

  test.each(Object.entries(entering))("%s with a body that does not wait gives its value also in a cancelled scope", async (_, enter) => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await enter(scope)).toBe("value");
      }),
    );
  });

  test("leaving a nursery lets others run, also an empty one", async () => {
    const log: string[] = [];
    await simulate(async (root) => {
      root.startSoon(() => log.push("other"));
      await openNursery(() => {});
      log.push("left");
    });
    expect(log).toEqual(["other", "left"]);
  });
});
