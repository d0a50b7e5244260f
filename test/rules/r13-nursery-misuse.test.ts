import { expect, test } from "vitest";
import {
  type Awaitable,
  Event,
  failAfter,
  MissingScopeError,
  moveOnAfter,
  Nursery,
  NurseryClosedError,
  now,
  openNursery,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  type Task,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { refusal, thrown, untyped } from "./r13-refusal.js";

type Body = () => Awaitable<unknown>;

async function closedNursery(): Promise<Nursery> {
  let nursery: Nursery | undefined;
  await openNursery(
    (own) => {
      nursery = own;
    },
    { name: "pool" },
  );
  return nursery as Nursery;
}

test("spawning into a nursery that has ended: NurseryClosedError at the call, and the function is not called", async () => {
  await simulate(async () => {
    const nursery = await closedNursery();
    const fn = () => {
      throw new Error("it was called");
    };
    const soon = thrown(() => nursery.startSoon(fn));
    expect(soon).toBeInstanceOf(NurseryClosedError);
    expect(soon).toBeInstanceOf(UsageError);
    expect(soon.message).toMatch(
      /^the nursery .*pool has ended, and takes no more tasks\. Start them before its body and its tasks have ended$/,
    );
    const start = await refusal(() => nursery.start(fn));
    expect(start).toBeInstanceOf(NurseryClosedError);
    expect(start.message).toBe(soon.message);
    expect([...nursery.tasks]).toEqual([]);
  });
});

test("spawning into the nursery of a run that is over: the same", async () => {
  let root: Nursery | undefined;
  await run((own) => {
    root = own;
  });
  expect(thrown(() => root?.startSoon(() => {}))).toBeInstanceOf(NurseryClosedError);
});

test("spawning into a nursery that is still waiting for its tasks, or is cancelled, is no misuse", async () => {
  const log: string[] = [];
  await simulate(async () => {
    await openNursery(async (nursery) => {
      nursery.startSoon(async () => {
        await sleep(1);
        nursery.startSoon(() => log.push("late"));
        nursery.cancel();
        nursery.startSoon(() => log.push("cancelled"));
      });
    });
  });
  expect(log).toEqual(["late", "cancelled"]);
});

test("spawning into a nursery that was never entered", async () => {
  await simulate(async () => {
    const nursery = Reflect.construct(Nursery, []) as Nursery;
    for (const error of [thrown(() => nursery.startSoon(() => {})), await refusal(() => nursery.start(() => {}))]) {
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/inside the body of openNursery\(\) or run\(\), or after Nursery\.open\(\)$/);
    }
  });
});

const CALLS: Record<string, (body: Body) => unknown> = {
  "run()": (body) => run(body),
  "openNursery()": (body) => openNursery(body),
  "moveOnAfter()": (body) => moveOnAfter(5, body),
  "failAfter()": (body) => failAfter(5, body),
  "shield()": (body) => shield(body),
  "nursery.startSoon()": (body) => openNursery((nursery) => void nursery.startSoon(body)),
  "nursery.start()": (body) => openNursery((nursery) => nursery.start(body)),
};

test.each(Object.keys(CALLS))("%s with a promise for its body says how to pass a function", async (name) => {
  await simulate(async () => {
    const error = await refusal(() => CALLS[name]?.(untyped<Body>(Promise.resolve())));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(
      `${name} takes a function, and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()`,
    );
  });
});

test.each(Object.keys(CALLS))("%s with anything else that is no function says so", async (name) => {
  await simulate(async () => {
    for (const [value, told] of [
      [undefined, "undefined"],
      [null, "null"],
      [5, "5"],
      ["work", '"work"'],
      [{}, "an object"],
      [new Map(), "a Map"],
    ]) {
      const error = await refusal(() => CALLS[name]?.(untyped<Body>(value)));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toBe(`${name} takes a function, not ${told}`);
    }
  });
});

test("started() twice throws in the second call, and the value of the first counts", async () => {
  await simulate(async () => {
    let second: Error | undefined;
    const value = await openNursery((nursery) =>
      nursery.start<string>(async (_task, started) => {
        started("first");
        second = thrown(() => started("second"));
        await sleep(1);
      }),
    );
    expect(value).toBe("first");
    expect(second).toBeInstanceOf(UsageError);
    expect(second?.message).toMatch(/^started\(\) was called twice in .*#1; it is called once, when the task is ready$/);
  });
});

test("a task that ends without started() makes start() throw, and leaves the nursery as it was", async () => {
  await simulate(async () => {
    await openNursery(async (nursery) => {
      const error = await refusal(() => nursery.start(async () => {}, { name: "server" }));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/server ended without having called started\(\), so there is no value for start\(\) to return$/);
      expect(nursery.cancelCalled).toBe(false);
      expect(await nursery.start<number>((_task, started) => started(5))).toBe(5);
    });
  });
});

test("started() after the task has ended throws, and does not bring it back", async () => {
  await simulate(async () => {
    await openNursery(async (nursery) => {
      let late: ((value: number) => void) | undefined;
      await refusal(() =>
        nursery.start<number>((_task, started) => {
          late = started;
        }),
      );
      const error = thrown(() => late?.(5));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/^started\(\) was called after .*#1 had ended$/);
      expect([...nursery.tasks]).toEqual([]);
    });
  });
});

test("join() of a nursery that has a body to end it", async () => {
  await simulate(async () => {
    await openNursery(
      async (nursery) => {
        const error = await refusal(() => nursery.join());
        expect(error).toBeInstanceOf(UsageError);
        expect(error.message).toMatch(
          /^join\(\) is for Nursery\.open\(\); .*pool is left, and its tasks are awaited, at the end of its body$/,
        );
      },
      { name: "pool" },
    );
  });
});

test("a task that joins itself, or is joined from inside itself, would wait for ever", async () => {
  await simulate(async () => {
    await openNursery(async (nursery) => {
      let self: Task | undefined;
      self = nursery.startSoon(
        async () => {
          await Promise.resolve();
          const own = self as Task;
          expect((await refusal(() => own.join())).message).toMatch(
            /own joins itself, or is joined from inside, and would wait for ever: join it from outside$/,
          );
          await openNursery(async (inner) => {
            inner.startSoon(async () => expect(await refusal(() => own.join())).toBeInstanceOf(UsageError));
          });
          await moveOnAfter(5, async () => expect(await refusal(() => own.join())).toBeInstanceOf(UsageError));
          return "done";
        },
        { name: "own" },
      );
      expect(await self.join()).toBe("done");
    });
  });
});

test("`errors` of a nursery that is neither of the two", async () => {
  await simulate(async () => {
    const options = { errors: untyped<"group">("all") };
    for (const call of [() => openNursery(() => {}, options), () => run(() => {}, options), () => Nursery.open(options)]) {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/"collapse" or "group"/);
    }
    await expect(openNursery(() => "fine")).resolves.toBe("fine");
  });
});

test("a runtime for a run that is inside another one", async () => {
  await simulate(async (nursery) => {
    const runtime = untyped<undefined>({});
    for (const call of [() => run(() => {}, { runtime }), () => run(() => {}, { runtime, signal: nursery.signal })]) {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toMatch(/shares its runtime: give `runtime` to the outer one, or `detached: true` to this one$/);
    }
    expect(await run(() => now())).toBe(0);
  });
});

test("Nursery.open() where there is no scope, or one that has ended: nothing is left open", async () => {
  expect(thrown(() => Nursery.open())).toBeInstanceOf(MissingScopeError);
  await simulate(async () => {
    const ended = await closedNursery();
    expect(thrown(() => Nursery.open(ended))).toBeInstanceOf(ScopeEndedError);
    expect(await refusal(() => openNursery(() => sleepForever(), ended))).toBeInstanceOf(ScopeEndedError);
  });
});

test("an open nursery that was joined takes no more tasks, and join() may be called again", async () => {
  await simulate(async () => {
    const nursery = Nursery.open();
    const done = new Event();
    nursery.startSoon(() => done.set());
    await nursery.join();
    await nursery.join();
    expect(done.isSet).toBe(true);
    expect(thrown(() => nursery.startSoon(() => {}))).toBeInstanceOf(NurseryClosedError);
  });
});
