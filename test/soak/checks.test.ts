import { describe, expect, test } from "vitest";
import { Cancelled, ErrorGroup, Event, failAfter, now, run, sleep, sleepForever, TimeoutError } from "../../src/index.js";
import { Brood } from "./checks/brood.js";
import { Exclusive } from "./checks/exclusive.js";
import { Ledger } from "./checks/ledger.js";
import { Parcels } from "./checks/parcels.js";
import { isPlanned, PlannedFailure } from "./checks/planned-failure.js";
import { punctual } from "./checks/punctual.js";
import { RateCheck } from "./checks/rate-check.js";
import { Trace } from "./checks/trace.js";
import { Watchdog } from "./checks/watchdog.js";
import { optionsOf } from "./options.js";

const said = (ledger: Ledger) => ledger.violations.map(({ what }) => what);

describe("the checks complain:", () => {
  test("of what has not ended when all is at rest, and of what ends twice", () => {
    const ledger = new Ledger();
    ledger.begin("task");
    ledger.checkAtRest();
    ledger.end("task");
    ledger.checkAtRest();
    ledger.end("task");
    expect(said(ledger)).toEqual(['at rest, and 1 of kind "task" have not ended', "a task has ended that had not begun"]);
  });

  test("of two who are where one may be", async () => {
    const ledger = new Ledger();
    const exclusive = new Exclusive("the lock", () => 1, ledger);
    await exclusive.hold(async () => {});
    await exclusive.hold(() => exclusive.hold(async () => {}));
    expect(said(ledger)).toEqual(["2 are in the lock at once"]);
  });

  test("of tasks that outlive their nursery", async () => {
    const ledger = new Ledger();
    const brood = new Brood("a nursery", ledger);
    let end = () => {};
    const running = brood.task(() => new Promise<void>((resolve) => (end = resolve)))();
    brood.over();
    end();
    await running;
    expect(said(ledger)).toEqual(["a nursery has ended, and 1 of its tasks have not", "a task ends in a nursery, which has ended"]);
  });

  test("of parcels that come twice, that are lost, and that were never sent", async () => {
    const ledger = new Ledger();
    const parcels = new Parcels("x", ledger);
    for (let i = 0; i < 3; i++) await parcels.send(async () => {});
    await expect(parcels.send(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    parcels.received(0);
    parcels.received(0);
    parcels.received(3);
    parcels.account(1);
    parcels.account(2);
    expect(said(ledger)).toEqual([
      "parcel 0 of x was received twice",
      "parcel 3 of x was received, and its send threw",
      "parcel 3 of x was received, and its send threw",
      "1 parcels of x were lost, and 2 were in its buffer at the end",
    ]);
  });

  test("of tokens that come too early", async () => {
    const ledger = new Ledger();
    const check = new RateCheck({ limit: 1, interval: 1e6, burst: 2 }, ledger);
    for (let i = 0; i < 3; i++) await check.acquire(1, async () => {});
    expect(said(ledger)).toEqual(["3 tokens of the rate limiter were taken where 2.0 could be there"]);
  });

  test("but not of tokens that came in time, to somebody who was told late", async () => {
    const ledger = new Ledger();
    const check = new RateCheck({ limit: 1, interval: 10, burst: 1 }, ledger);
    const told = new Promise<void>((resolve) => setTimeout(resolve, 30));
    await Promise.all([1, 2].map(() => check.acquire(1, () => told)));
    expect(ledger.violations).toEqual([]);
  });

  test("nor of a deadline, where the loop is held up when it is due", async () => {
    const ledger = new Ledger();
    const holdUp = () => {
      for (const until = performance.now() + 120; performance.now() < until; );
    };
    await run(async (nursery) => {
      setTimeout(holdUp, 84);
      await sleep(30, nursery);
      const late = failAfter(
        65,
        async (scope) => {
          const unwatch = punctual(scope, scope.deadline, ledger);
          await sleepForever(scope).finally(unwatch);
        },
        nursery,
      );
      await expect(late).rejects.toThrow(TimeoutError);
    });
    expect(ledger.violations).toEqual([]);
  });

  test("of a deadline that passes and is not reported; of one that is, nothing", async () => {
    const ledger = new Ledger();
    await run(async (nursery) => {
      const never = punctual(nursery, now(nursery), ledger);
      while (ledger.violations.length === 0) await sleep(5, nursery);
      never();
      await failAfter(
        5,
        async (scope) => {
          punctual(scope, scope.deadline, ledger);
          await sleepForever(scope);
        },
        nursery,
      ).catch(() => {});
      await sleep(60, nursery);
    });
    expect(ledger.violations.length).toBe(1);
    expect(said(ledger)[0]).toMatch(/^a deadline that has passed by \d+\.\d ms was not reported before a timer that was set for later$/);
    expect(ledger.lateness.count).toBe(1);
  });

  test("of a round that does not end, with who waits for what", async () => {
    const ledger = new Ledger();
    const watchdog = new Watchdog(1, ledger);
    await run(async (nursery) => {
      nursery.startSoon((task) => new Event().wait(task), { name: "stuck" });
      nursery.startSoon(() => watchdog.barked, { name: "elsewhere" });
      watchdog.calm(nursery);
      await watchdog.barked;
      nursery.cancel();
    });
    expect(said(ledger)).toEqual([
      "nothing has ended for 1 ms:\n  root > stuck waits: wait Event\n  main waits for something that is not of the library\n  root > elsewhere waits for something that is not of the library",
    ]);
  });

  test("of nothing where something goes on in time", async () => {
    const ledger = new Ledger();
    const watchdog = new Watchdog(1, ledger);
    await run(async (nursery) => {
      watchdog.calm(nursery);
      watchdog.stop();
      await sleep(10, nursery);
    });
    expect(ledger.violations).toEqual([]);
  });

  test("of errors that belong to nobody's plan, also in a group", async () => {
    const error = await run((root) => root.cancel(new Error("x"))).then(() => undefined);
    expect(error).toBe(undefined);
    const planned = [new PlannedFailure("x"), new TimeoutError("late", "x"), new ErrorGroup([new PlannedFailure("x")], "x")];
    expect(planned.map(isPlanned)).toEqual([true, true, true]);
    expect([new Error("x"), new ErrorGroup([new PlannedFailure("x"), new TypeError("y")], "x"), undefined].map(isPlanned)).toEqual([
      false,
      false,
      false,
    ]);
    expect(Cancelled.prototype).toBeInstanceOf(DOMException);
  });

  test("a violation has the last lines of the trace, and only the first ones are kept", () => {
    const ledger = new Ledger();
    ledger.trace.add("before");
    for (let i = 0; i < 9; i++) ledger.violated(`number ${i}`);
    expect(said(ledger)).toEqual(["number 0", "number 1", "number 2", "number 3", "number 4"]);
    expect(ledger.violations[0]?.trace.map((line) => line.replace(/^ *\d+\.\d {2}/, ""))).toEqual(["before"]);
  });
});

test("the trace keeps the last lines, oldest first", () => {
  const trace = new Trace(3);
  const lines = () => trace.last().map((line) => line.slice(12));
  expect(lines()).toEqual([]);
  for (const line of ["a", "b"]) trace.add(line);
  expect(lines()).toEqual(["a", "b"]);
  for (const line of ["c", "d", "e"]) trace.add(line);
  expect(lines()).toEqual(["c", "d", "e"]);
});

test("the options", () => {
  expect(optionsOf(["--seed", "7", "--minutes", "0.5", "--leak", "timer"])).toEqual({ seed: 7, minutes: 0.5, clients: 16, leak: "timer" });
  expect(optionsOf([])).toEqual({ seed: expect.any(Number), minutes: 1, clients: 16, leak: undefined });
  expect(() => optionsOf(["--minutes", "soon"])).toThrow(new TypeError("--minutes is a number from 0.01, not soon"));
  expect(() => optionsOf(["--leak", "water"])).toThrow(
    new TypeError("--leak is one of listener, closure, timer, task, promise, not water"),
  );
});
