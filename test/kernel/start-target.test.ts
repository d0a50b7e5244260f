import { describe, expect, test } from "vitest";
import {
  checkpoint,
  Event,
  type Nursery,
  NurseryClosedError,
  now,
  openNursery,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf } from "./support.js";

type Started<V> = (value: V) => void;

const boom = new Error("boom");

describe("ST12: a start() under way keeps the nursery open,", () => {
  /** A nursery without tasks, whose body is over while a task of somebody else starts for it. */
  async function startingFor(fn: (task: Task, started: Started<string>) => Promise<void>): Promise<[result: unknown, closedAt: number]> {
    let result: unknown;
    let closedAt = -1;
    await simulate(async (outer) => {
      await openNursery(async (nursery) => {
        outer.startSoon(async () => {
          result = await nursery.start(fn).catch((error) => error);
        });
        await sleep(1);
      });
      closedAt = now();
    });
    return [result, closedAt];
  }

  test("with no task in it and its body over", async () => {
    const ended = await startingFor(async (_task, started) => {
      await sleep(10);
      started("late");
      await sleep(10);
    });
    expect(ended).toEqual(["late", 20]);
  });

  test("also if the task then fails", async () => {
    const ended = await startingFor(async () => {
      await sleep(10);
      throw boom;
    });
    expect(ended).toEqual([boom, 10]);
  });
});

test("ST13: start() on a nursery that has ended is an error at once, and nothing is called", async () => {
  await simulate(async () => {
    const nursery = await openNursery((own) => own);
    const starting = nursery.start(() => {
      throw new Error("it was called");
    });
    expect(await rejectionOf(starting)).toBeInstanceOf(NurseryClosedError);
  });
});

describe("ST14: a nursery that is cancelled", () => {
  for (const when of ["before", "after"]) {
    test(`right ${when} started() takes the task in, and aborts it with what is in it`, async () => {
      const log: string[] = [];
      await simulate(async () => {
        await openNursery(async (nursery) => {
          await shield(() =>
            nursery.start(async (_task: Task, started: Started<void>) => {
              await openNursery(async (inner) => {
                inner.startSoon(() => sleepForever().finally(() => log.push("grandchild aborted")));
                await checkpoint();
                if (when === "before") nursery.cancel();
                started();
                if (when === "after") nursery.cancel();
                await sleepForever().finally(() => log.push("task aborted"));
              });
            }),
          ).catch((error) => log.push(`start: ${error.name}`));
        });
      });
      expect(log).toEqual(["task aborted", "grandchild aborted"]);
    });
  }
});

describe("ST15: while a task starts, cancelling the nursery that it is to be in cancels it: better than Trio, where it could wait for ever:", () => {
  const waiting = async (_task: Task, _started: Started<void>) => {
    await sleepForever();
  };

  test("a caller outside that nursery gets a TaskCancelledError, as this is not its own cancellation", async () => {
    await simulate(async (outer) => {
      let target: Nursery | undefined;
      let error: TaskCancelledError | undefined;
      outer.startSoon(async () => {
        await sleep(1);
        error = await rejectionAs(
          TaskCancelledError,
          (target as Nursery).start(async function serve(task: Task, started: Started<void>) {
            await waiting(task, started);
          }),
        );
      });
      await openNursery(
        async (nursery) => {
          target = nursery;
          await sleep(5);
          nursery.cancel("shop closed");
        },
        { name: "shop" },
      );
      expect(now()).toBe(5);
      await checkpoint();
      expect(error?.message).toBe(
        "root > task#1 > start > serve#1 was cancelled before it called started(), because the nursery it was started for, root > shop, was cancelled",
      );
      expect(error).toMatchObject({ task: "root > task#1 > start > serve#1", cause: { kind: "cancel", cause: "shop closed" } });
    });
  });

  test("also if it was cancelled before the call", async () => {
    await simulate(async (outer) => {
      await openNursery(async (nursery) => {
        nursery.cancel();
        const ended = new Event();
        outer.startSoon(async () => {
          expect(await rejectionOf(nursery.start(waiting))).toBeInstanceOf(TaskCancelledError);
          ended.set();
        });
        await shield(() => ended.wait());
      });
    });
  });

  test("a caller inside it is cancelled with it, and gets that cancellation", async () => {
    await simulate(async (outer) => {
      let error: unknown;
      let reason: unknown;
      await openNursery(async (nursery) => {
        outer.startSoon(() => sleep(5).then(() => nursery.cancel()));
        error = await rejectionOf(nursery.start(waiting));
        reason = reasonOf(nursery);
      });
      expect(error).toBe(reason);
    });
  });

  test("one that is failing is a failure all the same", async () => {
    await simulate(async (outer) => {
      let error: unknown;
      await openNursery(async (nursery) => {
        outer.startSoon(async () => {
          error = await rejectionOf(nursery.start(() => sleepForever().catch(() => Promise.reject(boom))));
        });
        await sleep(5);
        nursery.cancel();
      });
      await checkpoint();
      expect(error).toBe(boom);
    });
  });

  test("the nursery is not held up: it ends when the task has", async () => {
    await simulate(async (outer) => {
      await openNursery(async (nursery) => {
        outer.startSoon(() => nursery.start(() => sleepForever().finally(() => shield(() => sleep(10)))).catch(() => {}));
        await sleep(5);
        nursery.cancel();
      });
      expect(now()).toBe(15);
    });
  });
});
