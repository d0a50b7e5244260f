import { describe, expect, test } from "vitest";
import { checkpoint, now, openNursery, sleep, type Task, TaskCancelledError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf } from "./support.js";

const boom = new Error("boom");

describe("a result that is disposable, and that nobody received,", () => {
  function connection(log: string[], name = "closed"): Disposable {
    return { [Symbol.dispose]: () => void log.push(name) };
  }

  test("is disposed if its nursery was cancelled, the last first, before the cleanups", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery(async (nursery) => {
        nursery.defer(() => log.push("cleanup"));
        nursery.startSoon(() => connection(log, "first"));
        nursery.startSoon(() => connection(log, "second"));
        await sleep(1);
        nursery.cancel();
      }),
    );
    expect(log).toEqual(["second", "first", "cleanup"]);
  });

  test("asynchronously, if it can be", async () => {
    await simulate(async () => {
      await openNursery(async (nursery) => {
        nursery.startSoon(() => ({ [Symbol.asyncDispose]: () => sleep(5) }));
        await checkpoint();
        nursery.cancel();
      });
      expect(now()).toBe(5);
    });
  });

  test("is not, if its nursery was not cancelled", async () => {
    const log: string[] = [];
    await simulate(() => openNursery((nursery) => void nursery.startSoon(() => connection(log))));
    expect(log).toEqual([]);
  });

  test("is not, if somebody joined the task, before or after its end", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery(async (nursery) => {
        await nursery.startSoon(() => connection(log)).join();
        const task = nursery.startSoon(() => connection(log));
        await sleep(1);
        await task.join();
        nursery.cancel();
      }),
    );
    expect(log).toEqual([]);
  });

  test("cannot be joined any more", async () => {
    const log: string[] = [];
    await simulate(async () => {
      let task: Task<Disposable> | undefined;
      await openNursery(async (nursery) => {
        task = nursery.startSoon(() => connection(log));
        await checkpoint();
        nursery.cancel();
      });
      const error = await rejectionAs(TaskCancelledError, (task as Task).join());
      expect(error.message).toBe(
        "the task root > nursery > task#1 has ended, and its result was disposed, because its nursery was cancelled, so it has no result to join",
      );
    });
  });

  test("of which the disposal fails is an error of the nursery", async () => {
    const failing = simulate(() =>
      openNursery(async (nursery) => {
        nursery.startSoon(() => ({ [Symbol.asyncDispose]: () => Promise.reject(boom) }));
        await checkpoint();
        nursery.cancel();
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
  });

  test("is left alone if it cannot even be asked whether it is disposable", async () => {
    const hostile = new Proxy(
      {},
      {
        has() {
          throw boom;
        },
      },
    );
    await simulate(() =>
      openNursery(async (nursery) => {
        nursery.startSoon(() => hostile);
        await checkpoint();
        nursery.cancel();
      }),
    );
  });

  test("is disposed when a failure elsewhere has cancelled the nursery", async () => {
    const log: string[] = [];
    const failing = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(() => connection(log));
        nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)));
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
    expect(log).toEqual(["closed"]);
  });
});
