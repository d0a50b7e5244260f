import { describe, expect, test } from "vitest";
import {
  CancelScope,
  CapacityLimiter,
  checkpoint,
  Event,
  isCancellation,
  Lock,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  run,
  Semaphore,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { immediate, waiting } from "./operations.js";
import { rejectionOf } from "./support.js";

const never = Number.POSITIVE_INFINITY;

describe("CP1: a function that is not async is no checkpoint: nobody runs meanwhile, and it works in a cancelled scope:", () => {
  const lock = (nursery: Nursery) => {
    const own = new Lock();
    own.acquireNowait(nursery);
    return own;
  };
  const calls: [name: string, prepare: (nursery: Nursery) => () => unknown][] = [
    ["cancel()", () => () => new CancelScope().cancel()],
    ["startSoon()", (nursery) => () => nursery.startSoon(() => {})],
    ["event.set()", () => () => new Event().set()],
    ["lock.acquireNowait()", () => () => new Lock().acquireNowait()],
    ["lock.release()", (nursery) => () => lock(nursery).release(nursery)],
    ["semaphore.acquireNowait()", () => () => new Semaphore(1).acquireNowait()],
    ["semaphore.release()", () => () => new Semaphore(1).release()],
    ["limiter.acquireNowait()", () => () => new CapacityLimiter(1).acquireNowait()],
    [
      "limiter.release()",
      () => () => {
        const limiter = new CapacityLimiter(1);
        limiter.acquireNowait();
        limiter.release();
      },
    ],
    [
      "moving a deadline",
      (nursery) => () => {
        nursery.deadline = never;
      },
    ],
    ["now()", () => () => now()],
  ];
  for (const [name, prepare] of calls) {
    test(name, async () => {
      const log: string[] = [];
      await simulate((nursery) =>
        new CancelScope().run((scope) => {
          const call = prepare(nursery);
          nursery.startSoon(() => {
            log.push("other");
          });
          scope.cancel();
          call();
          expect(log).toEqual([]);
        }),
      );
    });
  }
});

describe("CP2, R5: an async function that need not wait lets others run, and looks for cancellations before and after:", () => {
  for (const { name, prepare } of immediate) {
    test(`${name}: others run`, async () => {
      const log: string[] = [];
      await simulate(async (nursery) => {
        const { call } = await prepare(nursery);
        nursery.startSoon(() => {
          log.push("other");
        });
        await call();
        expect(log).toEqual(["other"]);
      });
    });

    test(`${name}: throws if a deadline has passed that no timer has had the chance to report`, async () => {
      await run((nursery) =>
        new CancelScope().run(async (scope) => {
          const { call, trace } = await prepare(nursery);
          const before = trace();
          scope.deadline = now() + 1;
          while (now() < scope.deadline);
          expect(await rejectionOf(call())).toBe(scope.signal.reason);
          expect(trace()).toEqual(before);
        }),
      );
    });
  }

  for (const { name, prepare } of waiting) {
    test(`${name}: throws if a deadline has passed that no timer has had the chance to report`, async () => {
      await run((nursery) =>
        new CancelScope().run(async (scope) => {
          const { call, trace, complete } = await prepare(nursery);
          const before = trace();
          scope.deadline = now() + 1;
          while (now() < scope.deadline);
          expect(await rejectionOf(call())).toBe(scope.signal.reason);
          expect(trace()).toEqual(before);
          complete?.();
        }),
      );
    });
  }
});

describe("R6: an operation that was completed without waiting delivers, also if its scope is cancelled while it lets others run:", () => {
  const acquiring: [name: string, make: () => { readonly call: () => Promise<void>; readonly isTaken: () => boolean }][] = [
    [
      "acquire() of a free lock",
      () => {
        const lock = new Lock();
        return { call: () => lock.acquire(), isTaken: () => lock.isLocked };
      },
    ],
    [
      "acquire() of a semaphore with a permit",
      () => {
        const semaphore = new Semaphore(1);
        return { call: () => semaphore.acquire(), isTaken: () => semaphore.value === 0 };
      },
    ],
    [
      "acquire() of a limiter with a token",
      () => {
        const limiter = new CapacityLimiter(1);
        return { call: () => limiter.acquire(), isTaken: () => limiter.borrowed === 1 };
      },
    ],
  ];
  for (const [name, make] of acquiring) {
    test(name, async () => {
      await simulate(async (nursery) => {
        const { call, isTaken } = make();
        let ending = "";
        nursery.startSoon(async (task) => {
          nursery.startSoon(() => task.cancel());
          ending = await call().then(
            () => "delivered",
            (error) => (isCancellation(error) ? "cancelled" : "failed"),
          );
          // Either it has what it asked for, or nothing has happened.
          expect(isTaken()).toBe(ending === "delivered");
        });
        await sleep(1);
        expect(ending).toBe("delivered");
      });
    });
  }
});

test("CP4: lock.run() is a checkpoint on entry only", async () => {
  const log: string[] = [];
  await simulate(async (nursery) => {
    const lock = new Lock();
    const note = (text: string) => nursery.startSoon(() => void log.push(text));
    note("before");
    await lock.run(() => {
      log.push("holding");
      note("after");
    });
    log.push("released");
  });
  expect(log).toEqual(["before", "holding", "released", "after"]);
});

describe("CP5: openNursery()", () => {
  test("is no checkpoint on entry", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      nursery.startSoon(() => {
        log.push("other");
      });
      await openNursery(() => {
        log.push("body");
      });
    });
    expect(log).toEqual(["body", "other"]);
  });

  test("is on exit a schedule point, but no cancel point", async () => {
    await simulate((nursery) =>
      new CancelScope().run(async (scope) => {
        const log: string[] = [];
        nursery.startSoon(() => {
          log.push("other");
        });
        scope.cancel();
        expect(await openNursery(() => "value")).toBe("value");
        expect(log).toEqual(["other"]);
      }),
    );
  });
});

test("CP6, CP7: tasks take turns, in one order, from checkpoint to checkpoint: creche is FIFO where Trio is random", async () => {
  const log: string[] = [];
  await simulate((nursery) => {
    for (const name of ["a", "b", "c"]) {
      nursery.startSoon(async () => {
        for (let i = 0; i < 3; i++) {
          log.push(`${name}${i}`);
          await checkpoint();
        }
      });
    }
  });
  expect(log).toEqual(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]);
});

describe("CP8, CP9: a loop of checkpoints starves neither timers nor I/O:", () => {
  for (const [name, step] of [
    ["checkpoint()", () => checkpoint()],
    ["sleep(0)", () => sleep(0)],
    ["checkpoints of many tasks", () => openNursery((n) => [1, 2, 3].forEach(() => void n.startSoon(() => checkpoint())))],
    ["acquiring a free lock", () => new Lock().run(() => {})],
    [
      "waiting for an event that is set",
      async () => {
        const event = new Event();
        event.set();
        await event.wait();
      },
    ],
  ] as [string, () => Promise<unknown>][]) {
    test(`${name}, while a timer of the platform is due`, async () => {
      await run(async () => {
        let isOver = false;
        setTimeout(() => {
          isOver = true;
        }, 1);
        // Starved, it would go on for ever, and so would the test.
        const end = performance.now() + 10_000;
        while (!isOver && performance.now() < end) await step();
        expect(isOver).toBe(true);
      });
    });
  }

  test("nor does it keep its own deadline from passing", async () => {
    const scope = new CancelScope({ timeout: 2 });
    await run(() =>
      scope.run(async () => {
        const end = performance.now() + 10_000;
        while (performance.now() < end) await checkpoint();
      }),
    );
    expect(scope.cancelledCaught).toBe(true);
  });

  test("nor a sleeper from waking", async () => {
    await run(() =>
      openNursery(async (nursery) => {
        nursery.startSoon(
          async () => {
            const end = performance.now() + 10_000;
            while (performance.now() < end) await checkpoint();
            throw new Error("the sleeper was starved");
          },
          { background: true },
        );
        await sleep(2);
      }),
    );
  });
});

test("a checkpoint behind a shield in a cancelled scope lets others run, and does not throw", async () => {
  const log: string[] = [];
  await simulate((nursery) =>
    moveOnAfter(0, async () => {
      await sleepForever().catch(() => {});
      nursery.startSoon(() => {
        log.push("other");
      });
      await shield(() => checkpoint());
      expect(log).toEqual(["other"]);
    }),
  );
});
