import { expect } from "vitest";
import { Barrier, CapacityLimiter, Condition, Event, Lock, now, RateLimiter, Semaphore, shield, sleep } from "../../../src/index.js";
import { holds, Usage } from "./self.js";

const names = ["a", "b", "c"];

holds("Event", (nursery) => {
  const event = new Event();
  let woken = 0;
  for (const name of names) nursery.startSoon(() => event.wait().then(() => woken++), { name });
  nursery.startSoon(() => sleep(1).finally(() => event.set()), { name: "setter" });
  return {
    always: () => expect([event.isSet, event.statistics().tasksWaiting]).toEqual([true, 0]),
    complete: () => expect(woken).toBe(3),
  };
});

holds("Lock", (nursery) => {
  const lock = new Lock();
  const usage = new Usage();
  for (const name of names) {
    nursery.startSoon(
      async () => {
        await lock.run(() => usage.during(() => sleep(1)));
        await lock.acquire();
        try {
          await usage.during(() => sleep(0));
        } finally {
          lock.release();
        }
      },
      { name },
    );
  }
  return {
    always: () => {
      expect(lock.statistics()).toEqual({ locked: false, owner: undefined, tasksWaiting: 0 });
      expect([usage.now, usage.most <= 1]).toEqual([0, true]);
    },
    complete: () => expect(usage.total).toBe(6),
  };
});

holds("Semaphore", (nursery) => {
  const semaphore = new Semaphore(2, { max: 2 });
  const usage = new Usage();
  for (const name of names) {
    nursery.startSoon(
      async () => {
        for (let i = 0; i < 2; i++) await semaphore.run(() => usage.during(() => sleep(i)));
      },
      { name },
    );
  }
  return {
    always: () => {
      expect(semaphore.statistics()).toEqual({ value: 2, tasksWaiting: 0 });
      expect([usage.now, usage.most <= 2]).toEqual([0, true]);
    },
    complete: () => expect(usage.total).toBe(6),
  };
});

holds("CapacityLimiter", (nursery) => {
  const limiter = new CapacityLimiter(1);
  const usage = new Usage();
  nursery.startSoon(() => limiter.run(() => usage.during(() => sleep(1))), { name: "a" });
  nursery.startSoon(
    async () => {
      using _ = await limiter.borrow();
      await usage.during(() => sleep(1));
    },
    { name: "b" },
  );
  nursery.startSoon(
    async () => {
      const borrower = {};
      await limiter.acquireOnBehalfOf(borrower);
      try {
        await usage.during(() => sleep(0));
      } finally {
        limiter.releaseOnBehalfOf(borrower);
      }
    },
    { name: "c" },
  );
  nursery.startSoon(
    async () => {
      await sleep(1);
      limiter.total = 2;
    },
    { name: "raiser" },
  );
  return {
    always: () => {
      expect([limiter.borrowed, limiter.available]).toEqual([0, limiter.total]);
      expect(limiter.statistics().tasksWaiting).toBe(0);
      expect([usage.now, usage.most <= limiter.total]).toEqual([0, true]);
    },
    complete: () => expect(usage.total).toBe(3),
  };
});

holds("Condition", (nursery) => {
  const condition = new Condition();
  const queue: number[] = [];
  let made = 0;
  let taken = 0;
  let isOver = false;
  const consume = () =>
    condition.run(async () => {
      for (;;) {
        while (queue.length === 0 && !isOver) await condition.wait();
        if (queue.shift() === undefined) return;
        taken++;
      }
    });
  nursery.startSoon(consume, { name: "one" });
  nursery.startSoon(consume, { name: "two" });
  nursery.startSoon(
    async () => {
      try {
        for (let i = 0; i < 3; i++) {
          await condition.run(() => {
            queue.push(made++);
            condition.notify();
          });
          await sleep(1);
        }
      } finally {
        await shield(() =>
          condition.run(() => {
            isOver = true;
            condition.notifyAll();
          }),
        );
      }
    },
    { name: "producer" },
  );
  return {
    always: () => {
      expect(taken + queue.length).toBe(made);
      expect(condition.statistics()).toEqual({
        tasksWaiting: 0,
        lockStatistics: { locked: false, owner: undefined, tasksWaiting: 0 },
      });
    },
    complete: () => expect(taken).toBe(3),
  };
});

holds("Barrier", (nursery) => {
  const barrier = new Barrier(2);
  const places: number[] = [];
  let going = 2;
  for (const name of ["a", "b"]) {
    nursery.startSoon(
      async () => {
        try {
          for (let i = 0; i < 2; i++) places.push(await barrier.wait());
        } finally {
          going--;
        }
      },
      { name },
    );
  }
  // For whoever is gone.
  nursery.startSoon(
    async () => {
      while (going > 0) await (going === 1 && barrier.statistics().tasksWaiting === 1 ? barrier.wait() : sleep(1));
    },
    { name: "stand-in" },
  );
  return {
    always: () => expect(barrier.statistics()).toEqual({ parties: 2, tasksWaiting: 0 }),
    complete: () => expect(places).toHaveLength(4),
  };
});

holds("RateLimiter", (nursery) => {
  const limiter = new RateLimiter({ limit: 2, interval: 10 });
  const times: number[] = [];
  for (const name of names) {
    nursery.startSoon(
      async () => {
        for (const n of [1, 2]) {
          await limiter.acquire(n);
          for (let i = 0; i < n; i++) times.push(now());
        }
      },
      { name },
    );
  }
  return {
    always: () => {
      expect(limiter.statistics().tasksWaiting).toBe(0);
      // From full, and 2 each 10 ms: so many at most.
      expect(times.length).toBeLessThanOrEqual(2 + Math.ceil(now() / 5));
    },
    complete: () => expect(times).toHaveLength(9),
  };
});
