import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CancelScope, Nursery, openNursery, run, shield, sleep, sleepForever, type Task } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

/** The four ways in which a scope is printed; they are one. */
function printed(scope: CancelScope): string {
  const text = `${scope}`;
  expect(inspect(scope)).toBe(text);
  expect(inspect({ scope }, { depth: 0, breakLength: Number.POSITIVE_INFINITY })).toBe(`{ scope: ${text} }`);
  expect(JSON.parse(JSON.stringify({ scope }))).toEqual({ scope: text });
  return text;
}

describe("a scope is printed in one line, with what it is, its path and its state:", () => {
  test("before its entry, with the deadline it will have", () => {
    expect(printed(new CancelScope())).toBe("CancelScope { scope, not entered }");
    expect(printed(new CancelScope({ name: "mine", timeout: 1_500 }))).toBe("CancelScope { mine, not entered, timeout 1500 ms }");
    expect(printed(new CancelScope({ deadline: 2_000, shield: true }))).toBe("CancelScope { scope, not entered, shielded, deadline 2000 }");
    const scope = new CancelScope({ deadline: 2_000 });
    scope.cancel("early");
    expect(printed(scope)).toBe('CancelScope { scope, not entered, cancelled: cancel() was called on scope: "early" }');
  });

  test("open, with its own deadline", async () => {
    await simulate(async (root) => {
      expect(printed(root)).toBe("Nursery { root, open }");
      await new CancelScope({ name: "http", timeout: 1_500 }).run(async (http) => {
        expect(printed(http)).toBe("CancelScope { root > http, open, deadline in 1500 ms }");
        await sleep(0.5);
        expect(printed(http)).toBe("CancelScope { root > http, open, deadline in 1500 ms }");
        await shield((inner) => {
          expect(printed(inner)).toBe("CancelScope { root > http > scope, open, shielded }");
        });
        http.deadline = 0;
        expect(printed(http)).toBe("CancelScope { root > http, open, deadline passed }");
        http.deadline = Number.POSITIVE_INFINITY;
        expect(printed(http)).toBe("CancelScope { root > http, open }");
      });
    });
  });

  test("cancelled, with what by", async () => {
    await simulate(() =>
      new CancelScope({ name: "http", timeout: 5 }).run(async (http) => {
        await sleep(10).catch(() => {});
        const why = "cancelled: the deadline of root > http passed";
        expect(printed(http)).toBe(`CancelScope { root > http, open, ${why} }`);
        await new CancelScope({ shield: true }).run((inner) => {
          inner.cancel(new Error("enough"));
          const own = "cancelled: cancel() was called on root > http > scope: Error: enough";
          expect(printed(inner)).toBe(`CancelScope { root > http > scope, open, shielded, ${own} }`);
        });
        await new CancelScope().run((inner) => expect(printed(inner)).toBe(`CancelScope { root > http > scope, open, ${why} }`));
      }),
    );
  });

  test("while it is left, and when it has ended", async () => {
    await simulate(async (root) => {
      let seen: string | undefined;
      const crew = await openNursery(
        (nursery) => {
          nursery.startSoon(async () => {
            await sleep(5);
            seen = printed(nursery);
          });
          return nursery;
        },
        { name: "crew" },
      );
      expect(seen).toBe("Nursery { root > crew, being left }");
      expect(printed(crew)).toBe("Nursery { root > crew, ended }");
      const scope = new CancelScope({ shield: true, timeout: 5 });
      await scope.run(() => sleepForever());
      expect(printed(scope)).toBe("CancelScope { root > scope, ended, cancelled: the deadline of root > scope passed }");
      const open = Nursery.open();
      expect(printed(open)).toBe("Nursery { root > nursery, open }");
      await open.join();
      expect(printed(root)).toBe("Nursery { root, open }");
    });
  });
});

describe("a task is printed with the state of a task:", () => {
  test("from its start to its value", async () => {
    await simulate(async (nursery) => {
      const task: Task = nursery.startSoon(function work() {
        return expect(printed(task)).toBe("Task { root > work#1, running }");
      });
      expect(printed(task)).toBe("Task { root > work#1, pending }");
      await task.join();
      expect(printed(task)).toBe("Task { root > work#1, done }");
    });
  });

  test("to its failure, or its cancellation", async () => {
    const tasks: Task[] = [];
    const seen: string[][] = [];
    await simulate(async (nursery) => {
      tasks.push(nursery.startSoon(() => sleepForever(), { name: "a" }));
      const fail = () => {
        throw new TypeError("b is bad");
      };
      tasks.push(nursery.startSoon(fail, { name: "b" }));
      nursery.signal.addEventListener("abort", () => seen.push(tasks.map(printed)));
      await sleepForever();
    }).catch(() => seen.push(tasks.map(printed)));
    const why = "cancelled: something in root failed: TypeError: b is bad";
    expect(seen).toEqual([
      [`Task { root > a, running, ${why} }`, "Task { root > b, failed: TypeError: b is bad }"],
      [`Task { root > a, ${why} }`, "Task { root > b, failed: TypeError: b is bad }"],
    ]);
  });

  test("the main task, too", async () => {
    await run((root) => expect(printed(root._task as Task)).toBe("Task { main, running }"));
  });
});

test("a scope whose own class throws where it is asked for its name is printed all the same", () => {
  class Hostile extends CancelScope {
    override get name(): string {
      throw new Error("no");
    }
  }
  expect(printed(new Hostile())).toBe("a scope that cannot be described");
});

test("the class of the user's is the one that is told", () => {
  class Request extends CancelScope {}
  expect(printed(new Request({ name: "req" }))).toBe("Request { req, not entered }");
});
