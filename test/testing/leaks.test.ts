import { describe, expect, test } from "vitest";
import { checkpoint, Lock, sleepForever } from "../../src/index.js";
import { CallbackTimer } from "../../src/kernel/callback-timer.js";
import type { Leaks, SimBody } from "../../src/testing/index.js";
import { explore, ScheduleFailure, simulate } from "../../src/testing/index.js";
import { rejectionAs } from "../kernel/support.js";

describe("a run fails if it leaves", () => {
  const boom = new Error("nobody handles this");
  const leaving: readonly (readonly [what: string, body: SimBody, allowed: Leaks, message: string])[] = [
    [
      "a timer",
      (sim) => sim.root._runtime.setTimer(new CallbackTimer(1, () => {})),
      { timers: false },
      "something is left after the end:\n  a timer is set",
    ],
    [
      "a lock that the main task holds",
      () => new Lock().acquire(),
      { locks: false },
      "something is left after the end:\n  Lock is still held by main",
    ],
    [
      "a rejection that nobody handles",
      async () => {
        void Promise.reject(boom);
        await checkpoint();
      },
      { rejections: false },
      "a promise was rejected, and nobody handled it: Error: nobody handles this",
    ],
  ];

  for (const [what, body, allowed, message] of leaving) {
    const isRejection = "rejections" in allowed;

    test(`${what}, alone or under many schedules`, async () => {
      // The runner has listeners of its own, which would take it for its business.
      const others = isRejection ? process.listeners("unhandledRejection") : [];
      for (const listener of others) process.off("unhandledRejection", listener);
      try {
        for (const run of [() => simulate(body), () => explore(body, { schedules: 3, checkDeterminism: false })]) {
          const failure = await rejectionAs(ScheduleFailure, run());
          expect([failure.kind, (failure.cause as Error).message]).toEqual(["leak", message]);
        }
      } finally {
        for (const listener of others) process.on("unhandledRejection", listener);
      }
    });

    // A rejection that is allowed is the runner's business again.
    if (isRejection) continue;
    test(`${what}, unless that is allowed`, async () => {
      await simulate(body, { leaks: allowed });
    });
  }

  test("nothing else: operations that float are ended with it", async () => {
    await simulate(() => void sleepForever());
  });
});
