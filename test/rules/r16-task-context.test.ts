import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  Event,
  MissingScopeError,
  moveOnAfter,
  Nursery,
  openNursery,
  park,
  run,
  shield,
  sleep,
  type Task,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

const RUNTIMES = Object.entries({ "in production": run, "in simulated time": simulate });
const trace = new AsyncLocalStorage<string>();

test.each(RUNTIMES)("%s a task has the async context of the code that spawned it, before and after it waits", async (_, run) => {
  const seen: Record<string, unknown[]> = {};
  const look = (name: string) => async () => {
    seen[name] = [trace.getStore()];
    await checkpoint();
    await sleep(1);
    seen[name].push(trace.getStore());
  };
  await trace.run("outside", () =>
    run(async (root) => {
      await trace.run("opened", () =>
        openNursery(async (nursery) => {
          nursery.startSoon(look("in the body"));
          trace.run("request", () => nursery.startSoon(look("in a request")));
          trace.exit(() => nursery.startSoon(look("in nothing")));
          trace.run("other", () => root.startSoon(look("in another nursery")));
          nursery.startSoon(() => trace.run("task", () => nursery.startSoon(look("in a task"))));
          await trace.run("start", () =>
            nursery.start<void>(async (_task, started) => {
              const isOver = look("in start")();
              started();
              await isOver;
            }),
          );
          expect(trace.getStore()).toBe("opened");
        }),
      );
      expect(trace.getStore()).toBe("outside");
    }),
  );
  expect(seen).toEqual({
    "in the body": ["opened", "opened"],
    "in a request": ["request", "request"],
    "in nothing": [undefined, undefined],
    "in another nursery": ["other", "other"],
    "in a task": ["task", "task"],
    "in start": ["start", "start"],
  });
});

test.each(RUNTIMES)("%s a task has the scope of its nursery, wherever it was spawned", async (_, run) => {
  const found: string[] = [];
  await run(async (root) => {
    const inner = new CancelScope({ name: "inner", shield: true });
    await openNursery(
      async (pool) => {
        const look = (task: Task) => {
          expect(currentScope()).toBe(task);
          expect(currentTask()).toBe(task);
          found.push(task.effectiveDeadline === Number.NEGATIVE_INFINITY ? "cancelled" : "not cancelled");
        };
        await inner.run(async () => {
          await openNursery(async (nearest) => {
            inner.cancel();
            nearest.startSoon(look);
            root.startSoon(look);
            pool.startSoon(look);
          });
        });
        await pool.startSoon(() => sleep(1)).join();
        pool.cancel();
        pool.startSoon(look);
        root.startSoon(look);
        await shield(() => sleep(1));
      },
      { name: "pool" },
    );
  });
  expect(found).toEqual(["cancelled", "not cancelled", "not cancelled", "cancelled", "not cancelled"]);
});

test("what is ambient follows the code: into scopes and out of them, and across every wait", async () => {
  await simulate(async (root) => {
    expect(currentScope()).toBe(root);
    await moveOnAfter(50, async (scope) => {
      expect(currentScope()).toBe(scope);
      await openNursery(async (nursery) => {
        expect(currentScope()).toBe(nursery);
        const task = nursery.startSoon(async (task) => {
          await sleep(5);
          expect(currentScope()).toBe(task);
          await shield(async (shielded) => {
            await checkpoint();
            expect(currentScope()).toBe(shielded);
            expect(currentTask()).toBe(task);
          });
          expect(currentScope()).toBe(task);
        });
        await task.join();
        expect(currentScope()).toBe(nursery);
      });
      expect(currentScope()).toBe(scope);
    });
    expect(currentScope()).toBe(root);
  });
  expect(() => currentScope()).toThrow(MissingScopeError);
});

test("whoever wakes a wait does not lend it his context", async () => {
  await simulate(async (nursery) => {
    const event = new Event();
    let wake: (() => void) | undefined;
    const seen: unknown[] = [];
    const waiting = async (task: Task) => {
      await event.wait();
      seen.push(trace.getStore(), currentScope() === task);
      await park<void>((parked) => {
        wake = () => parked.wake();
      });
      seen.push(trace.getStore(), currentScope() === task);
    };
    trace.run("waiter", () => nursery.startSoon(waiting));
    await sleep(1);
    await trace.run("waker", async () => {
      event.set();
      await sleep(1);
      wake?.();
    });
    await sleep(1);
    expect(seen).toEqual(["waiter", true, "waiter", true]);
  });
});

test("a run without an ambient scope leaves the context alone: its tasks have that of their spawner, and no scope", async () => {
  const seen: unknown[] = [];
  await trace.run("outside", () =>
    run(
      async (nursery) => {
        nursery.startSoon(async (task) => {
          await sleep(1, task);
          seen.push(trace.getStore());
          expect(() => currentScope()).toThrow(MissingScopeError);
        });
        trace.run("request", () => nursery.startSoon(() => void seen.push(trace.getStore())));
      },
      { ambient: false },
    ),
  );
  expect(seen).toEqual(["request", "outside"]);
});

test("a nursery that is opened for `await using` does not become ambient: its tasks are in it, the block is not", async () => {
  await simulate(async (root) => {
    const nursery = Nursery.open();
    expect(currentScope()).toBe(root);
    let parentIsCancelled: boolean | undefined;
    const task = nursery.startSoon(async (task) => {
      await sleep(5).catch(() => {});
      parentIsCancelled = task.effectiveDeadline === Number.NEGATIVE_INFINITY;
    });
    await sleep(1);
    nursery.cancel();
    await nursery.join();
    expect([parentIsCancelled, task.state]).toEqual([true, "done"]);
  });
});
