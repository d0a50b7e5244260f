import { expect, test } from "vitest";
import {
  type Cancellable,
  Cancelled,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  Event,
  Lock,
  now,
  openMemoryChannel,
  openNursery,
  park,
  run,
  Semaphore,
  select,
  shield,
  sleep,
  sleepForever,
  timeout,
} from "../../src/index.js";

const COUNT = 100_000;

interface Queue {
  readonly wait: (scope: Cancellable) => Promise<unknown>;
  /** How many it still knows of. */
  readonly left?: () => number;
  /** Wakes whoever has not left. */
  readonly wake?: () => unknown;
}

const QUEUES: Record<string, (root: CancelScope) => Queue> = {
  "on one event": () => {
    const event = new Event();
    return { wait: (scope) => event.wait(scope), left: () => event.statistics().tasksWaiting, wake: () => event.set() };
  },
  "on one lock": (root) => {
    const lock = new Lock();
    lock.acquireNowait(root);
    return { wait: (scope) => lock.acquire(scope), left: () => lock.statistics().tasksWaiting, wake: () => lock.release(root) };
  },
  "on one semaphore": () => {
    const semaphore = new Semaphore(0);
    return { wait: (scope) => semaphore.acquire(scope), left: () => semaphore.statistics().tasksWaiting, wake: () => semaphore.release() };
  },
  "on one limiter": () => {
    const limiter = new CapacityLimiter(0);
    return {
      wait: (scope) => limiter.acquire(scope),
      left: () => limiter.statistics().tasksWaiting,
      wake: () => {
        limiter.total = COUNT;
      },
    };
  },
  "on one channel to receive": () => {
    const { send, receive } = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
    return { wait: (scope) => receive.receive(scope), left: () => send.statistics().tasksWaitingReceive, wake: () => send.sendNowait(1) };
  },
  "on one channel to send": () => {
    const { send, receive } = openMemoryChannel<number>(1);
    send.sendNowait(0);
    return { wait: (scope) => send.send(1, scope), left: () => send.statistics().tasksWaitingSend, wake: () => receive.receiveNowait() };
  },
  "in loops, each over a handle of its own of one channel": () => {
    const { send, receive } = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
    return {
      wait: async (scope) => {
        for await (const _ of receive.clone().values(scope));
      },
      left: () => (send.statistics().tasksWaitingReceive + send.statistics().openReceiveChannels - 1) / 2,
      wake: () => send.sendNowait(1),
    };
  },
  "in selects, each in several queues": () => {
    const [to, from] = [openMemoryChannel<number>(0), openMemoryChannel<number>(0)];
    const event = new Event();
    return {
      wait: (scope) => select({ item: from.receive, next: from.receive.orEnd, sent: to.send.sending(1), event, late: timeout(1e6) }, scope),
      left: () => {
        const inLine = from.send.statistics().tasksWaitingReceive + to.send.statistics().tasksWaitingSend;
        return (inLine + event.statistics().tasksWaiting) / 4;
      },
      wake: () => event.set(),
    };
  },
  "by sleeping, each for another time": () => {
    let i = 0;
    return { wait: (scope) => sleep(1e6 + ((i++ * 7919) % COUNT), scope) };
  },
  "by sleeping for ever": () => ({ wait: (scope) => sleepForever(scope) }),
  "by park(), each with something to undo": () => {
    let left = 0;
    return {
      wait: (scope) =>
        park(
          () => {
            left++;
            return () => left--;
          },
          undefined,
          scope,
        ),
      left: () => left,
    };
  },
};

test.each(
  Object.entries(QUEUES),
)("100,000 tasks parked %s are cancelled at once: all have left before cancel() returns, and each is told", async (_, make) => {
  let told = 0;
  let woken = 0;
  await run(
    async (root) => {
      const queue = make(root);
      await openNursery(async (nursery) => {
        for (let i = 0; i < COUNT; i++) {
          nursery.startSoon(async (task) => {
            try {
              await queue.wait(task);
              woken++;
            } catch (error) {
              if (error === task.signal.reason) told++;
              throw error;
            }
          });
        }
        await checkpoint(nursery);
        if (queue.left !== undefined) expect(queue.left()).toBe(COUNT);
        nursery.cancel();
        if (queue.left !== undefined) expect(queue.left()).toBe(0);
        queue.wake?.();
      }, root);
    },
    { ambient: false },
  );
  expect([told, woken]).toEqual([COUNT, 0]);
});

test("100,000 operations parked in one scope are cancelled, when it is cancelled and when it is left", async () => {
  let told = 0;
  await run(
    async (root) => {
      for (const end of [(scope: CancelScope) => scope.cancel(), () => {}]) {
        await new CancelScope().run((scope) => {
          for (let i = 0; i < COUNT; i++) {
            sleep(1e6 + i, scope).catch((error: unknown) => {
              expect(error).toBeInstanceOf(Cancelled);
              told++;
            });
          }
          end(scope);
        }, root);
        await shield(() => sleep(1, root), root);
      }
    },
    { ambient: false },
  );
  expect(told).toBe(2 * COUNT);
});

test("100,000 tasks are cancelled by a failure, by a deadline, and from a scope far outside", async () => {
  const cancels: Record<string, (root: CancelScope, nursery: CancelScope) => void> = {
    failure: () => {
      throw new Error("failure");
    },
    deadline: (_, nursery) => {
      nursery.deadline = now();
    },
    outside: (root) => root.cancel(),
  };
  for (const [name, cancel] of Object.entries(cancels)) {
    let told = 0;
    const outcome: unknown = await run(
      (root) =>
        openNursery(async (nursery) => {
          for (let i = 0; i < COUNT; i++) {
            nursery.startSoon(async (task) => {
              await sleepForever(task).catch((error: unknown) => {
                told++;
                throw error;
              });
            });
          }
          await checkpoint(nursery);
          cancel(root, nursery);
          await checkpoint(nursery);
        }, root),
      { ambient: false },
    ).catch((error: unknown) => error);
    expect([name, told, (outcome as Error | undefined)?.message]).toEqual([name, COUNT, name === "failure" ? "failure" : undefined]);
  }
});

test("100,000 signals, of scopes under one that is cancelled, are aborted, each once, with one reason", async () => {
  const reasons = new Set<unknown>();
  let heard = 0;
  await run(
    async (root) => {
      for (let i = 0; i < COUNT; i++) {
        root.startSoon((task) => {
          task.signal.addEventListener("abort", () => {
            heard++;
            reasons.add(task.signal.reason);
          });
          return sleepForever(task);
        });
      }
      await checkpoint(root);
      root.cancel();
      expect(heard).toBe(COUNT);
    },
    { ambient: false },
  );
  expect(reasons.size).toBe(1);
});

test("100,000 scopes under one foreign signal are cancelled by its abort", async () => {
  const controller = new AbortController();
  let told = 0;
  await run(async (root) => {
    for (let i = 0; i < COUNT; i++) {
      root.startSoon(() =>
        sleepForever(controller).catch(() => {
          told++;
        }),
      );
    }
    await sleep(0);
    controller.abort();
  });
  expect(told).toBe(COUNT);
});

test("100,000 timers that are cleared, each by the end of its scope, and 100,000 that fire", async () => {
  let timedOut = 0;
  await run(
    async (root) => {
      const at = now() + 20;
      for (let i = 0; i < COUNT; i++) {
        root.startSoon(async (task) => {
          task.deadline = at;
          await sleepForever(task).finally(() => timedOut++);
        });
        root.startSoon((task) => {
          task.deadline = at;
        });
      }
    },
    { ambient: false },
  );
  expect(timedOut).toBe(COUNT);
});
