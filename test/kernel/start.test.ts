import { describe, expect, test } from "vitest";
import { checkpoint, now, openNursery, sleep, sleepForever, type Task, TaskCancelledError, UsageError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "./support.js";

type Started<V> = (value: V) => void;

const boom = new Error("boom");

describe("ST1: start() resolves to what started() was called with", () => {
  test("and the task goes on in the nursery", async () => {
    await simulate(async (nursery) => {
      const begun = now();
      const port = await nursery.start(async (task: Task, started: Started<number>) => {
        await sleep(5);
        started(8080);
        expect([...nursery.tasks]).toContain(task);
        await sleep(20);
      });
      expect([port, now() - begun]).toEqual([8080, 5]);
    });
  });

  test("also to nothing at all", async () => {
    await simulate(async (nursery) => {
      const value = await nursery.start((_task: Task, started: (value?: undefined) => void) => started());
      expect(value).toBe(undefined);
    });
  });

  test("and names the task as startSoon does", async () => {
    await simulate(async (nursery) => {
      const names: string[] = [];
      const serve = (task: Task, started: Started<void>) => {
        names.push(task.name);
        started();
      };
      await nursery.start(serve);
      await nursery.start(serve, { name: "http" });
      await nursery.start(serve);
      expect(names).toEqual(["serve#1", "http", "serve#2"]);
    });
  });

  test("the task is in the same place of the tree before and after, with one signal", async () => {
    await simulate(async (nursery) => {
      let task: Task | undefined;
      let signal: AbortSignal | undefined;
      await nursery.start(async (own: Task, started: Started<void>) => {
        task = own;
        signal = own.signal;
        started();
        await sleepForever();
      });
      expect(task?.signal).toBe(signal);
      nursery.cancel();
      expect(signal?.reason).toBe(reasonOf(nursery));
    });
  });
});

describe("ST3: what the task throws before started()", () => {
  test("comes out of start() as it is, and does nothing to the nursery", async () => {
    await simulate(async (nursery) => {
      expect(await rejectionOf(nursery.start(() => Promise.reject(boom)))).toBe(boom);
      expect(nursery.cancelCalled).toBe(false);
      await checkpoint();
    });
  });

  test("with what its own tasks throw", async () => {
    await simulate(async (nursery) => {
      const failing = nursery.start(() =>
        openNursery((inner) => {
          inner.startSoon(() => Promise.reject(boom));
        }),
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });

  test("with what its cleanups throw", async () => {
    await simulate(async (nursery) => {
      const failing = nursery.start((task: Task, _started: Started<void>) => {
        task.defer(() => Promise.reject(boom));
      });
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });
});

test("ST4: a task that ends without started() is an error of start()", async () => {
  await simulate(async (nursery) => {
    async function serve(): Promise<void> {}
    const message = "root > start > serve#1 ended without having called started(), so there is no value for start() to return";
    expect(await rejectionOf(nursery.start(serve))).toEqual(new UsageError(message));
    expect(nursery.cancelCalled).toBe(false);
  });
});

test("ST4: one that is cancelled by itself before started() has made no mistake: start() throws TaskCancelledError, as a join would", async () => {
  await simulate(async (nursery) => {
    const starting = nursery.start(async function serve(task: Task): Promise<void> {
      task.cancel("enough");
      await checkpoint();
    });
    const error = await rejectionAs(TaskCancelledError, starting);
    expect(error.message).toBe("root > start > serve#1 was cancelled before it called started()");
    expect(error.cause).toMatchObject({ name: "AbortError", cause: "enough" });
    expect(nursery.cancelCalled).toBe(false);
  });
});

describe("ST5: started() is called once;", () => {
  test("the second call throws, to whoever makes it", async () => {
    let second: unknown;
    await simulate(async (nursery) => {
      await nursery.start(async function serve(_task: Task, started: Started<number>) {
        started(1);
        second = thrownBy(() => started(2));
      });
    });
    expect(second).toEqual(new UsageError("started() was called twice in root > serve#1; it is called once, when the task is ready"));
  });

  test("a call after the task has ended throws as well", async () => {
    await simulate(async (nursery) => {
      let late: Started<number> | undefined;
      const failing = nursery.start(async function serve(_task: Task, started: Started<number>) {
        late = started;
      });
      expect(await rejectionOf(failing)).toBeInstanceOf(UsageError);
      expect(thrownBy(() => late?.(1))).toEqual(new UsageError("started() was called after root > start > serve#1 had ended"));
    });
  });
});

test("ST16: started() may be called by somebody else than the task", async () => {
  await simulate(async (nursery) => {
    const value = await nursery.start(async (_task: Task, started: Started<string>) => {
      nursery.startSoon(() => sleep(5).then(() => started("by a friend")));
      await sleep(10);
    });
    expect([value, now()]).toEqual(["by a friend", 5]);
  });
});

test("a task that calls started() and returns at once has its value all the same", async () => {
  await simulate(async (nursery) => {
    expect(await nursery.start((_task: Task, started: Started<number>) => started(1))).toBe(1);
    expect([...nursery.tasks]).toEqual([]);
  });
});
