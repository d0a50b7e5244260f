import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  failAfter,
  moveOnAfter,
  now,
  openNursery,
  shield,
  sleep,
  sleepForever,
  type Task,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionOf } from "./support.js";

type Started<V> = (value: V) => void;

const boom = new Error("boom");

describe("ST7: until started() the task is in the scopes around the call of start():", () => {
  test("cancelling those cancels the task, and not the nursery", async () => {
    await simulate(async (nursery) => {
      let ended = "not yet";
      const value = await moveOnAfter(5, () =>
        nursery.start(async (_task: Task, started: Started<string>) => {
          await sleepForever().finally(() => {
            ended = "cancelled";
          });
          started("never");
        }),
      );
      expect([value, ended, now(), nursery.cancelCalled]).toEqual([undefined, "cancelled", 5, false]);
    });
  });

  test("a timeout around start() is one of start()", async () => {
    await simulate(async (nursery) => {
      expect(
        await rejectionOf(
          failAfter(5, () =>
            nursery.start(async (_task: Task, _started: Started<void>) => {
              await sleepForever();
            }),
          ),
        ),
      ).toBeInstanceOf(TimeoutError);
    });
  });

  test("the scope that start() is passed is such a scope", async () => {
    await simulate(async (nursery) => {
      const caller = new CancelScope();
      await caller.run(async () => {
        caller.cancel();
        await shield(async () => {
          const task = async (_task: Task, _started: Started<void>) => {
            await sleepForever();
          };
          expect(await rejectionOf(nursery.start(task, caller))).toBe(reasonOf(caller));
          expect(await rejectionOf(nursery.start(task, { signal: caller.signal }))).toBe(reasonOf(caller));
        });
      });
    });
  });

  test("a foreign signal, too, for as long as the task starts", async () => {
    await simulate(async (nursery) => {
      const controller = new AbortController();
      const starting = nursery.start(() => sleepForever(), { signal: controller.signal });
      await sleep(1);
      controller.abort("enough");
      expect(await rejectionOf(starting)).toMatchObject({ kind: "signal", cause: "enough" });
    });
  });
});

describe("a start() whose caller is cancelled:", () => {
  interface Ending {
    readonly value?: unknown;
    readonly error?: unknown;
    readonly isIn: boolean;
  }

  async function startCancelled(fn: (task: Task, started: Started<string>) => unknown): Promise<Ending> {
    return simulate(async (nursery) => {
      let ending: Ending | undefined;
      await new CancelScope().run(async (caller) => {
        caller.cancel();
        let task: Task | undefined;
        const starting = nursery.start((own: Task, started: Started<string>) => {
          task = own;
          return fn(own, started);
        });
        const result = await starting.then(
          (value) => ({ value }),
          (error: unknown) => ({ error: error === reasonOf(caller) ? "its cancellation" : error }),
        );
        ending = { ...result, isIn: [...nursery.tasks].includes(task as Task) };
      });
      return ending as Ending;
    });
  }

  test("ST8: started() does nothing, the task stays where it is, and its cancellation comes out", async () => {
    const ending = await startCancelled(async (_task, started) => {
      started("dropped");
      await checkpoint();
    });
    expect(ending).toEqual({ error: "its cancellation", isIn: false });
  });

  test("ST9: unless the task meets no checkpoint: then start() has its value", async () => {
    expect(await startCancelled((_task, started) => started("value"))).toEqual({ value: "value", isIn: false });
  });

  test("ST10: and if it fails after started(), that comes out", async () => {
    const ending = await startCancelled((_task, started) => {
      started("dropped");
      throw boom;
    });
    expect(ending).toEqual({ error: boom, isIn: false });
  });

  test("a value that is dropped is disposed", async () => {
    const log: string[] = [];
    const connection = { [Symbol.asyncDispose]: async () => void log.push("closed") };
    await simulate((nursery) =>
      new CancelScope().run(async (caller) => {
        caller.cancel();
        await nursery.start(async (_task: Task, started: Started<AsyncDisposable>) => {
          started(connection);
          await checkpoint();
        });
      }),
    );
    expect(log).toEqual(["closed"]);
  });

  test("one that start() resolves to is not", async () => {
    const log: string[] = [];
    const connection = { [Symbol.dispose]: () => void log.push("closed") };
    await startCancelled((_task, started) => (started as Started<unknown>)(connection));
    expect(log).toEqual([]);
  });
});

describe("ST11: from started() on", () => {
  test("the task fails for the nursery", async () => {
    const log: string[] = [];
    const failing = simulate(async () => {
      await openNursery(async (nursery) => {
        await nursery.start(async (_task: Task, started: Started<void>) => {
          started();
          await sleep(5);
          throw boom;
        });
        log.push("started");
        await sleepForever();
      });
    });
    expect(await rejectionOf(failing)).toBe(boom);
    expect(log).toEqual(["started"]);
  });

  test("the timeouts of the caller do not hold for it", async () => {
    await simulate(async (nursery) => {
      await moveOnAfter(5, async () => {
        await nursery.start(async (_task: Task, started: Started<void>) => {
          started();
          await sleep(20);
          expect(now()).toBe(20);
        });
        await sleepForever();
      });
      expect(now()).toBe(5);
    });
  });

  test("nor do its shields", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      await scope.run(() =>
        openNursery(async (nursery) => {
          await shield(() =>
            nursery.start(async (_task: Task, started: Started<void>) => {
              started();
              await sleepForever();
            }),
          );
        }),
      );
      expect([scope.cancelledCaught, now()]).toEqual([true, 5]);
    });
  });

  test("a task that is started in the background keeps the nursery open only until then", async () => {
    await simulate(async () => {
      await openNursery(async (nursery) => {
        const value = await nursery.start(
          async (_task: Task, started: Started<string>) => {
            await sleep(5);
            started("ready");
            await sleepForever();
          },
          { background: true },
        );
        expect(value).toBe("ready");
      });
      expect(now()).toBe(5);
    });
  });
});
