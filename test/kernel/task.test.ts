import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf } from "./support.js";

const boom = new Error("boom");

describe("task.state", () => {
  test("is pending, then running, then done", async () => {
    await simulate(async (nursery) => {
      const states: string[] = [];
      const task = nursery.startSoon(async (own) => {
        states.push(own.state);
        await sleep(1);
      });
      states.push(task.state);
      await task.join();
      states.push(task.state);
      expect(states).toEqual(["pending", "running", "done"]);
    });
  });

  test("or failed", async () => {
    await simulate(async () => {
      let task: Task | undefined;
      await openNursery((nursery) => {
        task = nursery.startSoon(() => Promise.reject(boom));
      }).catch(() => {});
      expect(task?.state).toBe("failed");
    });
  });

  test("or cancelled, by itself, by its nursery, or from outside", async () => {
    await simulate(async () => {
      const tasks: Task[] = [];
      await openNursery(async (nursery) => {
        const own = nursery.startSoon(() => sleepForever());
        tasks.push(
          own,
          nursery.startSoon(() => sleepForever()),
        );
        await sleep(1);
        own.cancel();
        await sleep(1);
        expect(tasks.map(({ state }) => state)).toEqual(["cancelled", "running"]);
        nursery.cancel();
      });
      await new CancelScope().run((outer) =>
        openNursery(async (nursery) => {
          tasks.push(nursery.startSoon(() => sleepForever()));
          await sleep(1);
          outer.cancel();
        }),
      );
      expect(tasks.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
    });
  });

  test("done, if it was cancelled, but returned all the same", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(() => sleepForever().catch(() => "value"));
      await sleep(1);
      task.cancel();
      expect(await task.join()).toBe("value");
      expect([task.state, task.cancelCalled, task.cancelledCaught]).toEqual(["done", true, false]);
    });
  });

  test("failed, if a cleanup of it failed", async () => {
    await simulate(async () => {
      let task: Task | undefined;
      const failing = openNursery((nursery) => {
        task = nursery.startSoon((own) => own.defer(() => Promise.reject(boom)));
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect(task?.state).toBe("failed");
    });
  });
});

describe("task.cancel()", () => {
  test("ends that task alone, and is no error of its nursery", async () => {
    await simulate(async () => {
      const value = await openNursery(async (nursery) => {
        const task = nursery.startSoon(() => sleepForever());
        nursery.startSoon(() => sleep(10));
        await sleep(1);
        task.cancel();
        return "value";
      });
      expect([value, now()]).toEqual(["value", 10]);
    });
  });

  test("before it has begun lets it run up to its first checkpoint", async () => {
    const log: string[] = [];
    await simulate((nursery) => {
      nursery
        .startSoon(async () => {
          log.push("begun");
          await checkpoint();
          log.push("never");
        })
        .cancel();
    });
    expect(log).toEqual(["begun"]);
  });

  test("says at the end that it caught its own cancellation; not if it came from outside", async () => {
    await simulate(async () => {
      const tasks: Task[] = [];
      await openNursery(async (nursery) => {
        tasks.push(
          nursery.startSoon(() => sleepForever()),
          nursery.startSoon(() => sleepForever()),
        );
        await sleep(1);
        tasks[0]?.cancel();
        await sleep(1);
        nursery.cancel();
      });
      expect(tasks.map(({ cancelledCaught }) => cancelledCaught)).toEqual([true, false]);
    });
  });

  test("its deadline is a cancel of its own", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(async (own) => {
        own.deadline = now() + 5;
        await sleepForever();
      });
      expect(await rejectionOf(task.join())).toBeInstanceOf(TaskCancelledError);
      expect(now()).toBe(5);
    });
  });
});

describe("R16: a task begins", () => {
  test("in the async context of the code that has started it", async () => {
    const storage = new AsyncLocalStorage<string>();
    await run(async (nursery) => {
      const stores = async () => {
        const before = storage.getStore();
        await sleep(1);
        return [before, storage.getStore()];
      };
      const there = storage.run("spawner", () => nursery.startSoon(stores));
      const here = nursery.startSoon(stores);
      expect(await there.join()).toEqual(["spawner", "spawner"]);
      expect(await here.join()).toEqual([undefined, undefined]);
    });
  });

  test("on a microtask of its own: what it throws synchronously fails the task, not startSoon", async () => {
    await simulate(async () => {
      const failing = openNursery((nursery) => {
        nursery.startSoon(() => {
          throw boom;
        });
      });
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });
});

test("a failed task that was joined, and whose error was caught, is a failure of its nursery all the same", async () => {
  const promise = simulate(() =>
    openNursery(async (nursery) => {
      await shield(() =>
        nursery
          .startSoon(() => Promise.reject(boom))
          .join()
          .catch(() => {}),
      );
      return "value";
    }),
  );
  expect(await rejectionOf(promise)).toBe(boom);
});
