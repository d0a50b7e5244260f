import { describe, expect, test } from "vitest";
import {
  CancelScope,
  CapacityLimiter,
  DeadlockError,
  moveOnAfter,
  run,
  shield,
  sleep,
  sleepForever,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

class Connection {}

describe("CL1: a borrower may be", () => {
  const borrowers: [what: string, borrower: unknown, name: string][] = [
    ["an object", new Connection(), "a Connection"],
    ["a plain object", {}, "an object"],
    ["a string", "tenant 7", '"tenant 7"'],
    ["a number", 0, "0"],
    ["NaN", Number.NaN, "NaN"],
    ["a symbol", Symbol("mine"), "Symbol(mine)"],
    ["false", false, "false"],
  ];

  test.each(borrowers)("%s: it borrows one at a time, and gives back its own", async (_, borrower, name) => {
    const limiter = new CapacityLimiter(2);
    await limiter.acquireOnBehalfOf(borrower, new AbortController());
    const twice = new UsageError(`${name} has a token of this limiter already; a borrower borrows one at a time`);
    expect(await rejectionOf(limiter.acquireOnBehalfOf(borrower, new AbortController()))).toEqual(twice);
    expect(thrownBy(() => limiter.acquireOnBehalfOfNowait(borrower))).toEqual(twice);
    expect(limiter.statistics()).toEqual({ total: 2, borrowed: 1, borrowers: [borrower], tasksWaiting: 0 });
    limiter.releaseOnBehalfOf(borrower);
    expect(thrownBy(() => limiter.releaseOnBehalfOf(borrower))).toEqual(
      new UsageError(`${name} gives back a token that it has not borrowed`),
    );
    limiter.acquireOnBehalfOfNowait(borrower);
    expect(limiter.borrowed).toBe(1);
  });

  test("another object, although it looks the same", () => {
    const limiter = new CapacityLimiter(2);
    limiter.acquireOnBehalfOfNowait(new Connection());
    limiter.acquireOnBehalfOfNowait(new Connection());
    expect(thrownBy(() => limiter.acquireOnBehalfOfNowait(new Connection()))).toEqual(new WouldBlock("no token of the limiter is free"));
    expect(thrownBy(() => limiter.releaseOnBehalfOf(new Connection()))).toBeInstanceOf(UsageError);
  });

  test("a task: then it is as if that task had done it", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(2);
      const other = nursery.startSoon(
        async () => {
          await sleep(1);
          expect(await rejectionOf(limiter.acquire())).toEqual(
            new UsageError("root > other has a token of this limiter already; a task borrows one at a time"),
          );
          limiter.release();
          await limiter.acquire();
        },
        { name: "other" },
      );
      await limiter.acquireOnBehalfOf(other);
      expect(limiter.statistics().borrowers).toEqual([other]);
      await other.join();
      limiter.releaseOnBehalfOf(other);
      expect(limiter.borrowed).toBe(0);
    });
  });

  test.each([undefined, null])("but not %s, which is a mistake", async (nobody) => {
    const limiter = new CapacityLimiter(2);
    const error = new TypeError(`a borrower is an object or a value of its own, not ${nobody}`);
    expect(await rejectionOf(limiter.acquireOnBehalfOf(nobody, new AbortController()))).toEqual(error);
    expect(thrownBy(() => limiter.acquireOnBehalfOfNowait(nobody))).toEqual(error);
    expect(thrownBy(() => limiter.releaseOnBehalfOf(nobody))).toEqual(
      new UsageError(`${nobody} gives back a token that it has not borrowed`),
    );
    expect(limiter.borrowed).toBe(0);
  });
});

describe("acquireOnBehalfOf()", () => {
  test("CL1: of a borrower that waits already is an error, also if there is room by then", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(0);
      nursery.startSoon(() => limiter.acquireOnBehalfOf("a"));
      await sleep(1);
      const twice = new UsageError('"a" waits for a token of this limiter already; a borrower borrows one at a time');
      expect(await rejectionOf(limiter.acquireOnBehalfOf("a"))).toEqual(twice);
      expect(thrownBy(() => limiter.acquireOnBehalfOfNowait("a"))).toEqual(twice);
      expect(thrownBy(() => limiter.releaseOnBehalfOf("a"))).toBeInstanceOf(UsageError);
      expect(limiter.statistics()).toEqual({ total: 0, borrowed: 0, borrowers: [], tasksWaiting: 1 });
      limiter.total = 1;
      expect(limiter.statistics()).toEqual({ total: 1, borrowed: 1, borrowers: ["a"], tasksWaiting: 0 });
    });
  });

  test("one task may do for several", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(2);
      await Promise.all(["a", "b"].map((each) => limiter.acquireOnBehalfOf(each)));
      const both = nursery.startSoon(() => Promise.all(["c", "d"].map((each) => limiter.acquireOnBehalfOf(each))));
      await sleep(1);
      expect(limiter.statistics()).toMatchObject({ borrowers: ["a", "b"], tasksWaiting: 2 });
      limiter.releaseOnBehalfOf("b");
      limiter.releaseOnBehalfOf("a");
      expect(limiter.statistics()).toMatchObject({ borrowers: ["c", "d"], tasksWaiting: 0 });
      await both.join();
    });
  });

  test("FA1, FA3: stands in one line with acquire() and borrow()", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(1);
      await limiter.acquire();
      nursery.startSoon(async () => {
        await limiter.acquireOnBehalfOf("a");
        log.push("a");
        limiter.releaseOnBehalfOf("a");
      });
      nursery.startSoon(async () => {
        const token = await limiter.borrow();
        log.push("token");
        token.release();
      });
      nursery.startSoon(() => limiter.run(() => log.push("task")));
      await sleep(1);
      limiter.release();
      expect(thrownBy(() => limiter.acquireOnBehalfOfNowait("b"))).toBeInstanceOf(WouldBlock);
    });
    expect(log).toEqual(["a", "token", "task"]);
  });

  test("CL3, R6: cancelled, leaves no trace: the same borrower may come again", async () => {
    await simulate(async () => {
      const limiter = new CapacityLimiter(1);
      limiter.acquireOnBehalfOfNowait("a");
      expect(await moveOnAfter(5, () => limiter.acquireOnBehalfOf("b").then(() => "got it"))).toBe(undefined);
      expect(limiter.statistics()).toMatchObject({ borrowers: ["a"], tasksWaiting: 0 });
      limiter.releaseOnBehalfOf("a");
      expect(limiter.borrowed).toBe(0);
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(limiter.acquireOnBehalfOf("b"))).toBe(reasonOf(scope));
      });
      expect(limiter.borrowed).toBe(0);
      await limiter.acquireOnBehalfOf("b");
      expect(limiter.statistics().borrowers).toEqual(["b"]);
    });
  });

  test("waits in the scope that it is passed, and is a checkpoint also if a token is free", async () => {
    await simulate(async (nursery) => {
      const limiter = new CapacityLimiter(1);
      const log: string[] = [];
      nursery.startSoon(() => log.push("other"));
      await limiter.acquireOnBehalfOf("a");
      expect(log).toEqual(["other"]);
      await new CancelScope().run(async (outer) => {
        await shield(async () => {
          const waiting = [limiter.acquireOnBehalfOf("b", outer), limiter.borrow(outer)];
          expect(limiter.statistics().tasksWaiting).toBe(2);
          outer.cancel();
          for (const each of waiting) expect(await rejectionOf(each)).toBe(reasonOf(outer));
        });
      });
    });
  });

  test("a deadlock report names the tasks among the borrowers", async () => {
    const error = await rejectionAs(
      DeadlockError,
      simulate(async (nursery) => {
        const limiter = new CapacityLimiter(3);
        limiter.acquireOnBehalfOfNowait("a");
        await limiter.borrow();
        nursery.startSoon(() => limiter.run(() => sleepForever()), { name: "holder" });
        await sleep(1);
        nursery.startSoon(() => limiter.acquire(), { name: "waiter" });
      }),
    );
    expect(error.waiting).toContainEqual({ task: "root > waiter", op: "acquire", on: "CapacityLimiter", heldBy: "root > holder" });
  });
});

test("where scopes are passed, borrowers other than tasks need none to be given back", async () => {
  await run(
    async (root) => {
      const limiter = new CapacityLimiter(2);
      await limiter.acquireOnBehalfOf("a", root);
      using _token = await limiter.borrow({ signal: root.signal });
      expect(thrownBy(() => limiter.acquireOnBehalfOfNowait("b"))).toBeInstanceOf(WouldBlock);
      limiter.releaseOnBehalfOf("a");
      limiter.acquireOnBehalfOfNowait("b");
    },
    { ambient: false },
  );
});
