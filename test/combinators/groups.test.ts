import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import {
  all,
  allSettled,
  any,
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  ErrorGroup,
  Lock,
  MissingScopeError,
  moveOnAfter,
  now,
  openNursery,
  race,
  run,
  sleep,
  sleepForever,
  type TaskFunction,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, unhandledDuring } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { Resource } from "./jobs.js";

type Combinator = (functions: Iterable<TaskFunction>, scope?: { signal?: AbortSignal }) => Promise<unknown>;

const combinators: Record<string, Combinator> = {
  all: (functions, scope) => all(functions, scope),
  allSettled: (functions, scope) => allSettled(functions, scope),
  any: (functions, scope) => any(functions, scope),
  race: (functions, scope) => race(functions, scope),
};

describe.each(Object.entries(combinators))("%s()", (name, combine) => {
  test("starts its functions after the call, in their order, each in a task of its own that is called after it", async () => {
    for (const ambient of [true, false]) {
      await run(
        async (root) => {
          const log: string[] = [];
          async function first(scope: CancelScope) {
            log.push(scope.name);
            if (ambient) expect([currentScope(), currentTask()]).toEqual([scope, scope]);
            await checkpoint(scope);
          }
          const combined = combine([first, (scope) => void log.push(scope.name), first], root);
          log.push("called");
          await combined;
          expect(log).toEqual(["called", "first#1", "task#2", "first#3"]);
        },
        { ambient },
      );
    }
  });

  test("tells the path of its tasks", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 1 });
      let error: unknown;
      await scope.run(() =>
        combine([
          async function work(own) {
            const inner = new CancelScope();
            await inner.run(async () => {
              inner.cancel();
              error = await rejectionOf(sleep(5));
            });
            await sleepForever(own);
          },
        ]),
      );
      expect(error).toMatchObject({ scope: `root > ${name} > work#1 > scope` });
    });
  });

  test("runs each in the async context of the caller, whatever the others enter", async () => {
    const storage = new AsyncLocalStorage<string>();
    await run(async () => {
      const seen: (string | undefined)[] = [];
      const work = async () => {
        seen.push(storage.getStore());
        storage.enterWith("of another");
        await checkpoint();
      };
      await storage.run("of the caller", () => combine([work, work, work]));
      expect(seen.slice(0, 2)).toEqual(["of the caller", "of the caller"]);
      expect(seen.every((store) => store === "of the caller")).toBe(true);
    });
  });

  test("takes any iterable", async () => {
    await simulate(async () => {
      function* functions(): Generator<TaskFunction> {
        yield () => 1;
        yield () => 1;
      }
      const one = await combine(functions());
      expect(one).toEqual(await combine([() => 1, () => 1]));
      expect(await combine(new Set([() => 1]))).toEqual(await combine([() => 1]));
    });
  });

  test("refuses a promise, and starts nothing", async () => {
    await simulate(async () => {
      let calls = 0;
      const given = [() => ++calls, Promise.resolve(1) as never];
      expect(await rejectionOf(combine(given))).toMatchObject({
        name: "UsageError",
        message: `${name}(), at 1, takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()`,
      });
      await sleep(1);
      expect(calls).toBe(0);
    });
  });

  test.each([
    [[() => 1, 2], "UsageError", ", at 1, takes a function, not 2"],
    [new Array(2), "UsageError", ", at 0, takes a function, not undefined"],
    [null, "TypeError", / takes a list of functions, as \[\(\) => a\(\), \(\) => b\(\)\].*, not null$/],
    ["ab", "TypeError", / takes a list of functions, as \[\(\) => a\(\), \(\) => b\(\)\].*, not "ab"$/],
    [Promise.resolve([]), "TypeError", / takes a list of functions, as \[\(\) => a\(\), \(\) => b\(\)\].*, not a Promise$/],
  ])("refuses %o", async (given, type, message) => {
    await simulate(async () => {
      const error = await rejectionAs(Error, combine(given as never));
      expect(error.name).toBe(type);
      if (typeof message === "string") expect(error.message).toBe(`${name}()${message}`);
      else expect(error.message).toMatch(message);
    });
  });

  test("an iterable that throws is what it rejects with", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const functions = {
        [Symbol.iterator]: (): Iterator<never> => {
          throw boom;
        },
      };
      expect(await rejectionOf(combine(functions as never))).toBe(boom);
    });
  });

  test("needs a scope", async () => {
    expect(await rejectionOf(combine([() => 1]))).toBeInstanceOf(MissingScopeError);
  });

  test("starts nothing in a cancelled scope", async () => {
    await simulate(async () => {
      let calls = 0;
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        expect(await rejectionOf(combine([() => ++calls]))).toBe(scope.signal.reason);
        expect(await rejectionOf(combine([]))).toBe(scope.signal.reason);
      });
      await sleep(1);
      expect(calls).toBe(0);
    });
  });

  test("is cancelled by a foreign signal, also outside a run", async () => {
    const controller = new AbortController();
    let isOver = false;
    const combined = combine(
      [
        async (scope) => {
          try {
            await sleepForever(scope);
          } finally {
            isOver = true;
          }
        },
      ],
      { signal: controller.signal },
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort("enough");
    expect(await rejectionOf(combined)).toMatchObject({ kind: "signal", cause: "enough" });
    expect(isOver).toBe(true);
  });

  test("left floating, it is cancelled and awaited with the scope that it is in, and nothing is reported", async () => {
    const unhandled = await unhandledDuring(async () => {
      await run(async () => {
        let isOver = false;
        const resource = new Resource(0, false);
        await new CancelScope().run(async () => {
          const tidy = async (scope: CancelScope) => {
            await sleepForever(scope).catch(() => {});
            await new CancelScope({ shield: true }).run(() => sleep(2));
            isOver = true;
            return resource;
          };
          void combine([tidy, (scope) => sleepForever(scope)]);
          await checkpoint();
        });
        expect([isOver, resource.disposals]).toEqual([true, 1]);
      });
    });
    expect(unhandled).toEqual([]);
  });

  test("left floating, it has no result, also where each function had one all the same: that is disposed", async () => {
    await run(async () => {
      const resource = new Resource(0, false);
      const tidy = (scope: CancelScope) => sleepForever(scope).catch(() => resource);
      const left = await new CancelScope().run(async () => {
        const promise = combine([tidy]);
        await checkpoint();
        return { promise };
      });
      expect(await rejectionOf(left?.promise as Promise<unknown>)).toBeInstanceOf(Cancelled);
      expect(resource.disposals).toBe(1);
    });
  });

  test("what a function leaves floating ends with it", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const floats: TaskFunction = (scope) => {
        void sleepForever(scope).catch(() => log.push("ended"));
        scope.defer(() => void log.push("cleaned up"));
        return 1;
      };
      const value = await combine([floats]);
      expect(log.sort()).toEqual(["cleaned up", "ended"]);
      expect(JSON.stringify(value)).toContain("1");
    });
  });

  test("a lock that a function does not give back is broken when it ends", async () => {
    await simulate(async () => {
      const lock = new Lock();
      await combine([(scope) => lock.acquire(scope)]).catch(() => {});
      expect(await rejectionOf(lock.acquire())).toMatchObject({ name: "BrokenResourceError" });
    });
  });

  test("says in a deadlock who waits for it", async () => {
    await expect(simulate(() => combine([sleepForever]))).rejects.toMatchObject({
      waiting: [
        { task: expect.any(String), op: name },
        { task: `root > ${name} > sleepForever#1`, op: "sleep" },
      ],
    });
  });
});

describe("all()", () => {
  test("of no functions has no results, and lets others run", async () => {
    await simulate(async () => {
      expect([await all([]), await all({}), await all(new Set<TaskFunction>())]).toEqual([[], {}, []]);
    });
  });

  test("names results as the functions were named, in that order, whatever the name", async () => {
    await simulate(async () => {
      const results = await all({ slow: () => sleep(5).then(() => 1), ["__proto__"]: () => 2, fast: () => 3 });
      expect(Object.entries(results)).toEqual([
        ["slow", 1],
        ["__proto__", 2],
        ["fast", 3],
      ]);
    });
  });

  test("tells by name what is no function", async () => {
    await simulate(async () => {
      expect(await rejectionOf(all({ user: () => 1, posts: Promise.resolve(1) as never }))).toMatchObject({
        message:
          "all(), for posts, takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()",
      });
    });
  });

  test("results that were all there before the cancellation are delivered, and stay as they are", async () => {
    await simulate(async () => {
      const resources = [new Resource(0, false), new Resource(1, false)];
      const stubborn = (resource: Resource) => async (scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        return resource;
      };
      const scope = new CancelScope({ timeout: 5 });
      const got = await scope.run(() => all(resources.map(stubborn)));
      expect(got).toEqual(resources);
      expect(resources.map(({ disposals }) => disposals)).toEqual([0, 0]);
    });
  });

  test("the first error comes first when cleaning up fails too", async () => {
    await simulate(async () => {
      const [first, second] = [new Error("first"), new Error("second")];
      const failsTidying = async (scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        throw second;
      };
      const group = await rejectionAs(ErrorGroup, all([failsTidying, () => Promise.reject(first)]));
      expect(group.errors).toEqual([first, second]);
      expect(group.message).toBe("2 errors in root > all (Error: first; Error: second)");
    });
  });

  test.each([undefined, null, 0, "text", { thrown: true }])("a function may throw %o", async (thrown) => {
    await simulate(async () => {
      const synchronous = () => {
        throw thrown;
      };
      expect(await rejectionOf(all([synchronous]))).toBe(thrown);
      expect(await rejectionOf(all([() => Promise.reject(thrown), sleepForever]))).toBe(thrown);
      expect(await allSettled([synchronous])).toEqual([{ status: "rejected", reason: thrown }]);
      expect(await rejectionOf(race([synchronous, sleepForever]))).toBe(thrown);
      expect((await rejectionAs(ErrorGroup, any([synchronous]))).errors).toEqual([thrown]);
    });
  });

  test("groups also a single error where that is asked for", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const group = await rejectionAs(
        ErrorGroup,
        openNursery(async () => expect((await rejectionAs(ErrorGroup, all([() => Promise.reject(boom)]))).errors).toEqual([boom]), {
          errors: "group",
        }).then(() => Promise.reject(new ErrorGroup([boom], "here"))),
      );
      expect(group.errors).toEqual([boom]);
    });
  });

  test("says whose scope was cancelled when a function has no result", async () => {
    await simulate(async () => {
      const gaveUp = async function gaveUp(scope: CancelScope) {
        scope.cancel("no time");
        await checkpoint();
      };
      expect(await rejectionOf(all([sleepForever, gaveUp]))).toMatchObject({
        name: "TaskCancelledError",
        task: "root > all > gaveUp#2",
        message: expect.stringContaining("the task root > all > gaveUp#2 was cancelled"),
      });
    });
  });
});

describe("race()", () => {
  test("of no functions is an error, because it would wait for ever", async () => {
    await simulate(async () => {
      expect(await rejectionOf(race([]))).toMatchObject({
        name: "UsageError",
        message: "race() of no functions would wait for ever: give it at least one",
      });
    });
  });

  test("the signal of the winner stays as it is, those of the losers are aborted", async () => {
    for (const combine of [race, any]) {
      await simulate(async () => {
        const signals: AbortSignal[] = [];
        const work = (ms: number) => async (scope: CancelScope) => {
          signals.push(scope.signal);
          await sleep(ms, scope);
          return ms;
        };
        expect(await combine([work(5), work(3), work(9)])).toBe(3);
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, true]);
        expect(signals[0]?.reason).toMatchObject({
          kind: "cancel",
          message: `cancelled: cancel() was called on root > ${combine.name}: "another one was first"`,
        });
      });
    }
  });

  test("a loser that fails while it cleans up makes it fail, and the value of the winner is disposed", async () => {
    await simulate(async () => {
      const won = new Resource(0, false);
      const boom = new Error("boom");
      const failsTidying = async (scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        throw boom;
      };
      expect(await rejectionOf(race([failsTidying, () => won]))).toBe(boom);
      expect(won.disposals).toBe(1);
      const other = new Resource(1, false);
      expect(await any([failsTidying, () => other])).toBe(other);
      expect(other.disposals).toBe(0);
    });
  });

  test("a loser whose value cannot be disposed makes it fail, and any() as well", async () => {
    for (const combine of [race, any]) {
      await simulate(async () => {
        const [won, lost] = [new Resource(0, false), new Resource(1, true)];
        const late = async (scope: CancelScope) => {
          await sleepForever(scope).catch(() => {});
          return lost;
        };
        expect(await rejectionOf(combine([late, () => won]))).toBe(lost.error);
        expect([won.disposals, lost.disposals]).toEqual([1, 1]);
      });
    }
  });

  test("a value that is there when everything is cancelled is lost with the losers that are", async () => {
    for (const combine of [race, any]) {
      await simulate(async () => {
        const won = new Resource(0, false);
        const slow = async (scope: CancelScope) => {
          try {
            await sleepForever(scope);
          } finally {
            await new CancelScope({ shield: true }).run(() => sleep(10));
          }
        };
        const scope = new CancelScope({ timeout: 5 });
        expect(await scope.run(() => combine([slow, () => won]))).toBe(undefined);
        expect([scope.cancelledCaught, won.disposals, now()]).toEqual([true, 1, 10]);
      });
    }
  });

  test("is over only when the last loser is", async () => {
    await simulate(async () => {
      const slow = async (scope: CancelScope) => {
        await sleepForever(scope).catch(() => {});
        await new CancelScope({ shield: true }).run(() => sleep(10));
      };
      expect(await race([slow, () => "first"])).toBe("first");
      expect(now()).toBe(10);
    });
  });
});

describe("any()", () => {
  test("of no functions rejects, as Promise.any does", async () => {
    await simulate(async () => {
      const error = await rejectionAs(ErrorGroup, any([]));
      expect(error).toBeInstanceOf(AggregateError);
      expect([error.errors, error.message]).toEqual([[], "0 errors in root: there was no function that could succeed"]);
    });
  });

  test("tells one error for each function, in the order of the functions", async () => {
    await simulate(async () => {
      const boom = new Error("boom");
      const late = (ms: number, error: unknown) => async () => {
        await sleep(ms);
        throw error;
      };
      const group = await rejectionAs(ErrorGroup, any([late(3, 1), late(2, boom), late(1, boom)]));
      expect(group.errors).toEqual([1, boom, boom]);
      expect(group.message).toBe("3 errors in root > any (1; Error: boom; Error: boom)");
    });
  });
});

describe("allSettled()", () => {
  test("of no functions has no results", async () => {
    await simulate(async () => {
      expect([await allSettled([]), await allSettled({})]).toEqual([[], {}]);
    });
  });

  test("names results as the functions were named", async () => {
    await simulate(async () => {
      expect(await allSettled({ a: () => 1, b: () => Promise.reject(2) })).toEqual({
        a: { status: "fulfilled", value: 1 },
        b: { status: "rejected", reason: 2 },
      });
    });
  });

  test("a failure does not cancel the others, a cancellation from outside does", async () => {
    await simulate(async () => {
      const resource = new Resource(0, false);
      const error = await moveOnAfter(5, async () => {
        const caught = await rejectionOf(allSettled([() => Promise.reject(new Error("boom")), () => resource, sleepForever]));
        expect(now()).toBe(5);
        return caught;
      });
      expect(error).toBeInstanceOf(Cancelled);
      expect(resource.disposals).toBe(1);
    });
  });
});
