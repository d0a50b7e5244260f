import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  Event,
  failAfter,
  moveOnAfter,
  type Nursery,
  NurseryClosedError,
  now,
  openNursery,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  TimeoutError,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";
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
