import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpoint, failAfter, Lock, now, openNursery, sleep, type Task } from "../../src/index.js";
import { nextTurn } from "../../src/kernel/next-turn.js";
import { schedule } from "../../src/testing/fast-check/index.js";
import { explore, injectCancellation, replay, ScheduleFailure, type Sim, type SimBody, simulate } from "../../src/testing/index.js";
import { rejectionAs } from "../kernel/support.js";

// creche/testing where there may be no ambient scope: all of them are passed. What is found, and how, is the same on every runtime.

const inTwo = (sim: Sim, fn: (task: Task) => Promise<void>) =>
  openNursery((nursery) => {
    nursery.startSoon(fn, { name: "one" });
    nursery.startSoon(fn, { name: "other" });
  }, sim);

/** Two tasks that count, each in two steps. In the default order the one is done before the other begins. */
const lostUpdate: SimBody = async (sim) => {
  let n = 0;
  await inTwo(sim, async (task) => {
    if (task.name === "other") for (let i = 0; i < 3; i++) await checkpoint(task);
    const seen = n;
    await checkpoint(task);
    n = seen + 1;
  });
  if (n !== 2) throw new Error(`counted ${n}`);
};

/** Keeps the lock where it is cancelled while it works. */
const keptLock: SimBody = (sim) => {
  const lock = new Lock();
  return inTwo(sim, async (task) => {
    await lock.acquire(task);
    await sleep(5, task);
    lock.release(task);
  });
};

describe("creche/testing, where scopes are passed,", () => {
  test("runs in virtual time", async () => {
    await simulate(async (sim) => {
      await failAfter(90_000, (scope) => sleep(60_000, scope), sim);
      expect(now(sim)).toBe(60_000);
    });
  });

  test("finds a lost update, reduced to the same schedule everywhere, which replays it", async () => {
    const failure = await rejectionAs(ScheduleFailure, explore(lostUpdate));
    expect([failure.kind, (failure.cause as Error).message, failure.replay]).toEqual(["error", "counted 1", "r:1#31j"]);
    expect(await rejectionAs(ScheduleFailure, replay(failure.replay, lostUpdate))).toMatchObject({ replay: failure.replay });
  });

  test("finds what a cancellation at some checkpoint breaks", async () => {
    const failure = await rejectionAs(ScheduleFailure, injectCancellation(keptLock));
    expect([failure.kind, failure.replay]).toEqual(["error", "f:#cbc@2b.task"]);
    expect(await rejectionAs(ScheduleFailure, replay(failure.replay, keptLock))).toMatchObject({ replay: failure.replay });
  });

  test("gives fast-check schedules that shrink to the same one everywhere", async () => {
    const property = fc.asyncProperty(schedule(), (s) => s.run(lostUpdate));
    const { counterexample } = await fc.check(property, { seed: 7 });
    expect(counterexample?.[0].replay).toBe("r:1#31j");
  });

  test("waits for what comes from outside as part of the step that awaits it, seen in flight or not", async () => {
    const body = (foreign: () => Promise<void>): SimBody => {
      return (sim) =>
        inTwo(sim, async (task) => {
          await checkpoint(task);
          await foreign();
          await checkpoint(task);
        });
    };
    const options = { strategy: { kind: "exhaustive" }, schedules: 10, timeMs: 60_000 } as const;
    const hash = async () => {
      for (const end = performance.now() + 10; performance.now() < end; ) await nextTurn();
    };
    const { ms, ...without } = await explore(
      body(async () => {}),
      options,
    );
    expect(await explore(body(hash), options)).toMatchObject({ ...without, externals: expect.anything() });
  });
});
