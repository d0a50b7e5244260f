import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  Event,
  failAfter,
  Lock,
  moveOnAfter,
  Nursery,
  now,
  openNursery,
  park,
  run,
  ScopeEndedError,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  type Task,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

const RUNTIMES = Object.entries({ "in production": run, "in simulated time": simulate });

/** Runs `body`, and expects that the process is told of nothing but `errors`. */
async function quietly<T>(body: () => Promise<T>, errors: readonly unknown[] = []): Promise<T> {
  const { value, unhandled, uncaught } = await watchProcess(body);
  expect(unhandled).toEqual(errors);
  expect(uncaught).toEqual([]);
  return value;
}

/** Things that are begun in a scope and not awaited; they would wait for ever. Each returns how to see that it is gone. */
const OPERATIONS: Record<string, (started: Task) => { promise: Promise<unknown>; left?: () => number }> = {
  sleep: () => ({ promise: sleepForever() }),
  "a long sleep": () => ({ promise: sleep(1e9) }),
  "event.wait()": () => {
    const event = new Event();
    return { promise: event.wait(), left: () => event.statistics().tasksWaiting };
  },
  "semaphore.acquire()": () => {
    const semaphore = new Semaphore(0);
    return { promise: semaphore.acquire(), left: () => semaphore.statistics().tasksWaiting };
  },
  "limiter.acquire()": () => {
    const limiter = new CapacityLimiter(0);
    return { promise: limiter.acquire(), left: () => limiter.statistics().tasksWaiting };
  },
  "task.join()": (task) => ({ promise: task.join() }),
  "park()": () => {
    let left = 1;
    return { promise: park(() => () => left--), left: () => left };
  },
  checkpoint: () => ({ promise: checkpoint() }),
};

/** The bodies in which something may float. */
const BODIES: Record<string, (body: () => void) => Promise<unknown>> = {
  "a scope": (body) => new CancelScope().run(body),
  "moveOnAfter()": (body) => moveOnAfter(1_000, body),
  "failAfter()": (body) => failAfter(1_000, body),
  "shield()": (body) => shield(body),
  "a nursery": (body) => openNursery(body),
  "a task": (body) => openNursery((nursery) => void nursery.startSoon(body)),
  "a started task": (body) =>
    openNursery((nursery) =>
      nursery.start<void>((_task, started) => {
        started();
        body();
      }),
    ),
  "a cleanup": (body) => new CancelScope().run((scope) => scope.defer(body)),
  "a run inside": (body) => run(body),
};

test.each(
  RUNTIMES,
)("%s whatever is parked in a scope that is left is cancelled, at once and silently, and leaves its queue", async (_, run) => {
  await quietly(() =>
    run(async (root) => {
      const done = new Event();
      const other = root.startSoon(() => done.wait());
      for (const [body, runBody] of Object.entries(BODIES)) {
        for (const [operation, begin] of Object.entries(OPERATIONS)) {
          let started: ReturnType<typeof begin> | undefined;
          await runBody(() => {
            started = begin(other);
          });
          expect([body, operation, started?.left?.() ?? 0]).toEqual([body, operation, 0]);
          const outcome = await started?.promise.catch((error: unknown) => error);
          // A checkpoint is over by itself.
          if (operation === "checkpoint") continue;
          expect(outcome).toBeInstanceOf(Cancelled);
          const { kind, cause } = outcome as Cancelled;
          expect([body, operation, kind]).toEqual([body, operation, "shutdown"]);
          expect(cause).toBeInstanceOf(ScopeEndedError);
          expect((cause as Error).message).toMatch(/^the scope root > .* was left while something went on in it that nobody awaited$/);
        }
      }
      done.set();
    }),
  );
});

/** Scopes that are entered and not awaited. Each is given what its body is to do. */
const SCOPES: Record<string, (body: () => Promise<unknown>) => Promise<unknown>> = {
  "scope.run()": (body) => new CancelScope().run(body),
  "a shielded scope": (body) => new CancelScope({ shield: true }).run(body),
  "moveOnAfter()": (body) => moveOnAfter(1e6, body),
  "failAfter()": (body) => failAfter(1e6, body),
  "shield()": (body) => shield(body),
  "a shield() with a timeout": (body) => shield(body, { timeout: 1e6 }),
  "openNursery()": (body) => openNursery(body),
  "a task in openNursery()": (body) => openNursery((nursery) => void nursery.startSoon(body)),
  "run()": (body) => run(body),
  "Nursery.open()": async (body) => {
    const nursery = Nursery.open();
    nursery.startSoon(body);
  },
  "join() of Nursery.open()": (body) => {
    const nursery = Nursery.open();
    nursery.startSoon(body);
    return nursery.join();
  },
  "the disposal of Nursery.open()": (body) => {
    const nursery = Nursery.open();
    nursery.startSoon(body);
    return nursery[Symbol.asyncDispose]();
  },
  "Nursery.open() under a foreign signal": async (body) => {
    Nursery.open(new AbortController()).startSoon(body);
  },
  "moveOnAfter() under a foreign signal": (body) => moveOnAfter(1e6, body, new AbortController()),
  "shield() under a foreign signal": (body) => shield(body, new AbortController()),
  "shield() under a foreign signal that was aborted": (body) => shield(body, { signal: AbortSignal.abort() }),
  "a scope in a scope": (body) => moveOnAfter(1e6, () => moveOnAfter(1e6, body)),
};

test.each(
  Object.entries(SCOPES),
)("%s that nobody awaits is cancelled when the scope around is left, and its end is awaited", async (_, float) => {
  for (const around of Object.values(BODIES)) {
    const log: string[] = [];
    await quietly(() =>
      simulate(async () => {
        await around(() => {
          void float(async () => {
            log.push("begun");
            try {
              await sleepForever();
            } finally {
              log.push("cancelled");
              await shield(() => sleep(10));
              log.push("cleaned up");
            }
          });
        });
        log.push("left");
        expect(now()).toBe(10);
      }),
    );
    expect(log).toEqual(["begun", "cancelled", "cleaned up", "left"]);
  }
});

test.each(
  Object.entries(SCOPES),
)("%s that nobody awaits is silent, too, when it is cancelled from outside, before the scope around is left", async (_, float) => {
  for (const cancel of ["cancel", "deadline", "failure"] as const) {
    const broken = new Error("failure");
    const outcome = await quietly(() =>
      simulate(() =>
        openNursery(async (nursery) => {
          void float(() => shield(() => sleep(2)).then(() => sleepForever()));
          await sleep(1);
          if (cancel === "cancel") nursery.cancel();
          if (cancel === "deadline") nursery.deadline = now();
          if (cancel === "failure") throw broken;
          await shield(() => sleep(5));
        }).catch((error: unknown) => error),
      ),
    );
    expect(outcome).toBe(cancel === "failure" ? broken : undefined);
  }
});

test("nursery.start() that nobody awaits is awaited by the nursery: a start under way keeps it open", async () => {
  await quietly(() =>
    simulate(async () => {
      const log: string[] = [];
      await openNursery((nursery) => {
        void nursery.start<void>(async (_task, started) => {
          await sleep(10);
          started();
          log.push("started");
        });
      });
      expect([log, now()]).toEqual([["started"], 10]);
    }),
  );
});

test("what floats beside tasks goes on as long as the tasks do, and is ended then", async () => {
  const log = await quietly(() =>
    simulate(async () => {
      const log: string[] = [];
      await openNursery((nursery) => {
        const event = new Event();
        sleep(3).then(() => event.set());
        sleep(10).catch(() => log.push(`cancelled at ${now()}`));
        nursery.startSoon(async () => {
          await event.wait();
          await sleep(2);
          log.push(`ended at ${now()}`);
        });
      });
      return log;
    }),
  );
  expect(log).toEqual(["ended at 5", "cancelled at 5"]);
});

test("code that floats on goes from one cancellation to the next, and holds up nothing", async () => {
  const { told, at } = await quietly(() =>
    simulate(async () => {
      const told: unknown[] = [];
      await moveOnAfter(1e6, (scope) => {
        const float = async () => {
          for (let i = 0; i < 3; i++) await sleep(5, scope).catch((error: unknown) => told.push(error));
        };
        void float();
      });
      await sleep(1);
      return { told, at: now() };
    }),
  );
  expect(told.map((error) => (error as Error).name)).toEqual(["AbortError", "ScopeEndedError", "ScopeEndedError"]);
  expect(at).toBe(1);
});

test("a failure of a scope that nobody awaits is not lost: the process is told of it, as of any rejection", async () => {
  const broken = new Error("broken");
  for (const float of [SCOPES["scope.run()"], SCOPES["openNursery()"], SCOPES["a task in openNursery()"], SCOPES["run()"]]) {
    const value = await quietly(
      () =>
        simulate(async () => {
          await moveOnAfter(1e6, () => {
            void float?.(() =>
              sleepForever().catch(() => {
                throw broken;
              }),
            );
          });
          return "ended";
        }),
      [broken],
    );
    expect(value).toBe("ended");
  }
});

test("a failure in a nursery that was opened and never joined is not lost either", async () => {
  const broken = new Error("broken");
  const { value, unhandled, uncaught } = await watchProcess(() =>
    simulate(async () => {
      await moveOnAfter(1e6, async () => {
        Nursery.open().startSoon(() => {
          throw broken;
        });
        await sleep(1);
      });
      return "ended";
    }),
  );
  expect(value).toBe("ended");
  expect([...unhandled, ...uncaught]).toEqual([broken]);
});

test.each(RUNTIMES)("%s an operation under a foreign signal floats as any other, and its listener is removed", async (_, run) => {
  const { signal } = new AbortController();
  const error = await quietly(() =>
    run(async () => {
      let floating: Promise<unknown> | undefined;
      await moveOnAfter(1e6, () => {
        floating = sleepForever({ signal }).catch((error: unknown) => error);
      });
      return floating;
    }),
  );
  expect((error as Cancelled).kind).toBe("shutdown");
});

test("a floating acquire that was granted in the same breath keeps what it was granted: completion wins", async () => {
  await quietly(() =>
    simulate(async () => {
      const semaphore = new Semaphore(0);
      const lock = new Lock();
      let acquired: Promise<void> | undefined;
      await openNursery(async () => {
        acquired = semaphore.acquire();
        semaphore.release();
      });
      await acquired;
      expect(semaphore.value).toBe(0);
      expect(lock.isLocked).toBe(false);
    }),
  );
});
