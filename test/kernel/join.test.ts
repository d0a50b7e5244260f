import { describe, expect, test } from "vitest";
import {
  Cancelled,
  currentTask,
  moveOnAfter,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, unhandledDuring } from "./support.js";

const boom = new Error("boom");

describe("task.join()", () => {
  test("resolves to the value of the task, before and after its end, any number of times", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(() => sleep(5).then(() => ({})));
      const [one, two] = await Promise.all([task.join(), task.join()]);
      expect(one).toBe(two);
      expect(await task.join()).toBe(one);
    });
  });

  test("rejects with the task's own error object, before the cancellation that this causes", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      const failing = openNursery(async (nursery) => {
        const task = nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)));
        nursery.startSoon(async () => void seen.push(await rejectionOf(task.join())));
        seen.push(await rejectionOf(task.join()));
        seen.push(await shield(() => rejectionOf(task.join())));
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect(seen).toEqual([boom, boom, boom]);
    });
  });

  test("R7: of a task that was cancelled is an error, and no cancellation: it was not the caller's", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(() => sleepForever(), { name: "peer" });
      const early = rejectionAs(TaskCancelledError, task.join());
      await sleep(1);
      task.cancel("enough");
      const errors = [await early, await rejectionAs(TaskCancelledError, task.join())];
      for (const error of errors) {
        expect(error).not.toBeInstanceOf(Cancelled);
        expect(error.message).toBe(
          'the task root > peer was cancelled (AbortError: cancelled: cancel() was called on root > peer: "enough"), so it has no result to join',
        );
        expect([error.task, error.cause]).toEqual(["root > peer", reasonOf(task)]);
      }
      expect(nursery.cancelCalled).toBe(false);
    });
  });

  test("can be cancelled, which does nothing to the task", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(() => sleep(10).then(() => "value"));
      expect(await moveOnAfter(5, () => task.join())).toBe(undefined);
      expect(await task.join()).toBe("value");
    });
  });

  test("wakes those who wait in the order of their calls (R11)", async () => {
    const log: number[] = [];
    await simulate((nursery) => {
      const task = nursery.startSoon(() => sleep(5));
      for (let i = 0; i < 5; i++) nursery.startSoon(() => task.join().then(() => log.push(i)));
    });
    expect(log).toEqual([0, 1, 2, 3, 4]);
  });

  test("waits for what is in the task, and its cleanups", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon((own) => own.defer(() => sleep(5)));
      await task.join();
      expect(now()).toBe(5);
    });
  });

  test("from inside the task itself is misuse, as it would wait for ever", async () => {
    await simulate(async (nursery) => {
      let error: unknown;
      const task = nursery.startSoon(
        async (own) => {
          await openNursery(async (inner) => {
            inner.startSoon(() =>
              moveOnAfter(10, async () => {
                error = await rejectionOf(own.join());
              }),
            );
          });
        },
        { name: "me" },
      );
      await task.join();
      expect(error).toEqual(
        new UsageError("root > me joins itself, or is joined from inside, and would wait for ever: join it from outside"),
      );
    });
  });

  test("of the main task works from another run", async () => {
    let main: Task | undefined;
    const outcome = run(async () => {
      main = currentTask();
      await sleep(5);
      return "value";
    });
    await run(async () => expect(await main?.join()).toBe("value"));
    await outcome;
    expect(main?.state).toBe("done");
    await run(async () => expect(await main?.join()).toBe("value"));
  });

  test("of the main task of a run that fails rejects with its error", async () => {
    let main: Task | undefined;
    const rejection = rejectionOf(
      run(async () => {
        main = currentTask();
        await sleep(5);
        throw boom;
      }),
    );
    await run(async () => expect(await rejectionOf((main as Task).join())).toBe(boom));
    expect(await rejection).toBe(boom);
    expect(main?.state).toBe("failed");
  });

  test("that nobody awaits is never an unhandled rejection", async () => {
    const unhandled = await unhandledDuring(async () => {
      const running = run(() =>
        openNursery(async (nursery) => {
          const failing = nursery.startSoon(() => sleep(1).then(() => Promise.reject(boom)));
          const cancelled = nursery.startSoon(() => sleepForever());
          void failing.join();
          void cancelled.join();
          await shield(async () => {
            await sleep(5);
            void failing.join();
            void cancelled.join();
            await sleep(1);
          });
        }),
      );
      expect(await rejectionOf(running)).toBe(boom);
    });
    expect(unhandled).toEqual([]);
  });
});
