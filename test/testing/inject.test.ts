import { describe, expect, test } from "vitest";
import { CancelScope, CapacityLimiter, checkpoint, Event, Lock, openNursery, Semaphore, shield, sleep } from "../../src/index.js";
import {
  type Injected,
  type InjectOptions,
  injectCancellation,
  ReplayDiverged,
  replay,
  ScheduleFailure,
  type SimBody,
} from "../../src/testing/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { poolBugs, poolProgram } from "./pool-program.js";

const boom = new Error("boom");

/** The failure of an injection that finds something. */
function failureOf(body: SimBody, options?: InjectOptions): Promise<ScheduleFailure> {
  return rejectionAs(ScheduleFailure, injectCancellation(body, options));
}

/** Where lines are in this file is no part of the text, nor are the checksums of runs. */
function plain(report: string): string {
  return report.replace(/(inject\.test\.ts):\d+:\d+/g, "$1").replace(/#[0-9a-z]{3}@/g, "#...@");
}

/** What is injected, as `1 enter task of main: sleep`. */
async function injectionsOf(body: SimBody, options: InjectOptions = {}): Promise<string[]> {
  const all: string[] = [];
  const check = ({ k, mode, target, task, op, object }: Injected) => {
    const what = target === undefined ? "" : ` ${typeof target === "string" ? target : target.scope}`;
    all.push(`${k} ${mode}${what}: ${task}: ${op}${object && ` ${object}`}`);
  };
  await injectCancellation(body, { seeds: 0, ...options, check });
  return all;
}

describe("on a pool of two workers", () => {
  test("the correct one raises no alarm", async () => {
    const { body, check } = poolProgram();
    expect(await injectCancellation(body, { check })).toEqual({ points: 23, runs: 425 });
  });

  for (const bug of poolBugs) {
    test(`what is planted is found, in the default order alone, and replays: ${bug}`, async () => {
      const { body, check } = poolProgram(bug);
      const found = await failureOf(body, { check, seeds: 0 });
      expect(found.message).toMatch(/^\d+ of \d+ runs with an injection fail, at \d+ places:\n/);
      // Each code of the list fails as the list says.
      const codes = [...found.message.matchAll(/ {4}(\w+): (.*)\n.*(?:once|first): (\S+)/g)];
      expect(codes.length).toBeGreaterThan(2);
      for (const [, kind, what, code] of codes) {
        const again = await rejectionAs(ScheduleFailure, replay(code as string, body, { check }));
        expect([again.kind, again.replay]).toEqual([kind, code]);
        expect(again.message).toContain(what);
      }
      expect(found.replay).toBe(codes[0]?.[3]);
    });
  }
});

describe("the report", () => {
  test("lists all that fails by place, and shows the first", async () => {
    let free: Semaphore;
    const body: SimBody = (sim) => {
      free = new Semaphore(1);
      sim.root.startSoon(
        async () => {
          await free.acquire();
          await sleep(5);
          free.release();
        },
        { name: "leaky" },
      );
      sim.root.startSoon(() => free.run(() => sleep(1)), { name: "neat" });
    };
    const check = () => {
      if (free.value !== 1) throw new Error("a permit is lost");
    };
    const { message, kind, cause } = await failureOf(body, { check, seeds: 0 });
    expect(plain(message)).toBe(`8 of 17 runs with an injection fail, at 3 places:
  leaky: acquire Semaphore
    deadlock: nothing can go on any more, and no time can pass that would change that
      once: f:#...@2b.task
    error: a permit is lost
      once: f:#...@2b.root
  neat: acquire Semaphore
    error: a permit is lost
      2 times, first: f:#...@3e.root
  leaky: sleep
    deadlock: nothing can go on any more, and no time can pass that would change that
      2 times, first: f:#...@4e.task
    error: a permit is lost
      2 times, first: f:#...@4e.root

The first of them:

deadlock: nothing can go on any more, and no time can pass that would change that

  main waits: leave root, in which neat goes on
  neat waits: acquire Semaphore

Injected: the task leaky is cancelled after step 1, in the wait of checkpoint 2 of 5: leaky: acquire Semaphore. Without that, this schedule passes.

Run it again: SIM_REPLAY=f:#...@2b.task, or: await replay("f:#...@2b.task", body)

  step     time | leaky             | neat              | main
     1      0ms | start             |                   |                    | ! the task leaky is cancelled
     2      0ms |                   | start             |
     3      0ms | acquire Semaphore |                   |                    | inject.test.ts
  ---- found here; the rest is how the run ended when it was cancelled for that
     4      0ms |                   | acquire Semaphore |                    | inject.test.ts
     5      0ms |                   |                   | leave Nursery root
`);
    expect([kind, (cause as Error).name]).toEqual(["deadlock", "DeadlockError"]);
  });
});

describe("what is injected", () => {
  const body: SimBody = async (sim) => {
    sim.root.startSoon(() => new Lock().run(() => sleep(1)), { name: "one" });
    await checkpoint();
  };

  test("is a cancellation before each operation and in each wait, of the task and of everything, which are the same for the main task", async () => {
    expect(await injectionsOf(body)).toEqual([
      "1 enter root: main: checkpoint",
      "1 blocked root: main: checkpoint",
      "2 enter task: one: acquire Lock",
      "2 enter root: one: acquire Lock",
      "2 blocked task: one: acquire Lock",
      "2 blocked root: one: acquire Lock",
      "3 blocked root: main: leave Nursery root",
      "4 enter task: one: sleep",
      "4 enter root: one: sleep",
      "4 blocked task: one: sleep",
      "4 blocked root: one: sleep",
    ]);
  });

  test("is only what is asked for", async () => {
    const enterTask = ["1 enter task: main: checkpoint", "2 enter task: one: acquire Lock", "4 enter task: one: sleep"];
    expect(await injectionsOf(body, { modes: ["enter"], targets: ["task"] })).toEqual(enterTask);
    expect(await injectionsOf(body, { modes: ["fault"] })).toEqual([
      "1 fault: main: checkpoint",
      "2 fault: one: acquire Lock",
      "4 fault: one: sleep",
    ]);
    const sameTwice = await injectionsOf(body, { modes: ["blocked", "blocked"], targets: ["root"] });
    expect(sameTwice.map((line) => line.slice(0, 9))).toEqual([1, 2, 3, 4].map((k) => `${k} blocked`));
  });

  test("is refused before it has had an effect, or comes while it waits and then completes or has none", async () => {
    const log: string[] = [];
    const two: SimBody = async (sim) => {
      const lock = new Lock();
      let got = "";
      const take = async (name: string) => {
        await lock.acquire();
        got += name;
        lock.release();
      };
      sim.root.startSoon(() => take("a"), { name: "a" });
      sim.root.startSoon(() => take("b"), { name: "b" });
      sim.root.defer(() => {
        log.push(got);
      });
    };
    // First nothing is injected, then it comes before any task has begun. The lock of "a" is taken when it is cancelled in its wait, so "a" has it all the same; "b" stands in line, and gives up.
    expect(await injectionsOf(two, { targets: ["task"] })).toHaveLength(5);
    expect(log).toEqual(["ab", "", "b", "ab", "a", "a"]);
  });

  test("comes after the step in which the wait began, never in the middle of it", async () => {
    const seen = new Set<string>();
    const looking: SimBody = async (sim) => {
      const sleeping = sleep(1);
      const isCalled = sim.root.cancelCalled;
      await sleeping.catch(() => {});
      seen.add(`${isCalled} ${sim.root.cancelCalled}`);
    };
    await injectCancellation(looking, { modes: ["blocked"] });
    expect(seen).toEqual(new Set(["false false", "false true"]));
    await injectCancellation(looking, { modes: ["enter"] });
    expect(seen).toContain("true true");
  });

  test("is everything as often as there are schedules that differ", async () => {
    const alone = await injectCancellation(() => checkpoint(), { seeds: 9 });
    expect(alone).toEqual({ points: 2, runs: 3 });
    const { points, runs } = await injectCancellation(body, { seeds: 9 });
    expect(points).toBe(4);
    expect(runs).toBeGreaterThan(40);
  });

  test("is a scope by its name: the innermost around the checkpoint, else one that is open elsewhere; where none is, nothing", async () => {
    const named: SimBody = async (sim) => {
      sim.root.startSoon(() => sleep(0.5).then(() => sleep(1)), { name: "other" });
      await checkpoint();
      await new CancelScope({ name: "mine" }).run(() => sleep(1));
      await checkpoint();
    };
    expect(await injectionsOf(named, { targets: [{ scope: "mine" }] })).toEqual([
      "3 enter mine: main: sleep",
      "3 blocked mine: main: sleep",
      "4 enter mine: other: sleep",
      "4 blocked mine: other: sleep",
    ]);
    const error = await rejectionOf(injectCancellation(named, { targets: [{ scope: "yours" }] }));
    expect(error).toMatchObject({
      name: "UsageError",
      message: 'no scope named "yours" is open at any checkpoint of the body that injectCancellation() runs',
    });
  });

  test("is once for each site, if that is asked for: tasks of one function are one", async () => {
    const many: SimBody = (sim) => {
      const work = async () => {
        for (let i = 0; i < 10; i++) await checkpoint();
        await sleep(1);
      };
      for (let i = 0; i < 10; i++) sim.root.startSoon(work);
    };
    const options: InjectOptions = { points: "sites", modes: ["enter"], targets: ["task"] };
    expect(await injectionsOf(many, options)).toEqual(["2 enter task: work#1: checkpoint", "102 enter task: work#1: sleep"]);
    expect(await injectCancellation(many, { ...options, seeds: 2 })).toEqual({ points: 2, runs: 6 });
    // The first time in the default order, any time in the others.
    const turns: number[] = [];
    let turn = 0;
    const check = ({ op }: Injected) => {
      if (op === "checkpoint") turns.push(turn);
    };
    const one: SimBody = (sim) => {
      sim.root.startSoon(async () => {
        for (turn = 0; turn < 10; turn++) await checkpoint();
      });
      for (const name of ["a", "b"]) sim.root.startSoon(() => {}, { name });
    };
    await injectCancellation(one, { ...options, seeds: 6, check });
    expect(turns[0]).toBe(0);
    expect(new Set(turns).size).toBeGreaterThan(2);
  });
});

describe("what is wrong with a run that was disturbed:", () => {
  test("that it fails with anything but the injection", async () => {
    const wrapping: SimBody = () =>
      sleep(1).catch(() => {
        throw new Error("could not sleep");
      });
    const { message, cause } = await failureOf(wrapping, { seeds: 0 });
    expect(message).toContain("error: could not sleep\n      2 times, first: f:#");
    expect(cause).toMatchObject({ message: "could not sleep" });
    expect(await injectCancellation(wrapping, { expected: (error) => (error as Error).message === "could not sleep" })).toBeDefined();
  });

  test("not that a task is missed by those who join it, in a group or not", async () => {
    const joining: SimBody = async (sim) => {
      const tasks = [1, 2].map((ms) => sim.root.startSoon(() => sleep(ms), { name: `of ${ms} ms` }));
      await openNursery((nursery) => {
        for (const task of tasks) nursery.startSoon(() => task.join());
      });
    };
    await injectCancellation(joining);
    await injectCancellation(joining, { errors: "group" });
  });

  test("that something is left, also when it rejects as it should", async () => {
    const holding: SimBody = async (sim) => {
      const limiter = new CapacityLimiter(1);
      const task = sim.root.startSoon(() => sleep(5), { name: "helper" });
      await limiter.acquire();
      await task.join();
      limiter.release();
    };
    const { message } = await failureOf(holding, { targets: ["task"], modes: ["blocked"], seeds: 0 });
    expect(message).toContain("    leak: LeakError: something is left after the end:\n");
  });

  test("that a task goes on: with more operations than `grace`, refused or shielded", async () => {
    const stubborn = (again: () => Promise<unknown>): SimBody => {
      return async (sim) => {
        const isOver = new Event();
        sim.root.startSoon(
          async (task) => {
            for (let i = 0; i < 30 && !isOver.isSet; i++) {
              await isOver.wait().catch(() => {});
              if (task.cancelCalled) await again();
            }
          },
          { name: "stubborn" },
        );
        await sleep(1);
        isOver.set();
      };
    };
    const tidy: SimBody = (sim) => {
      sim.root.startSoon(
        () =>
          sleep(1).finally(async () => {
            for (let i = 0; i < 30; i++) await shield(() => checkpoint());
          }),
        { name: "stubborn" },
      );
    };
    for (const body of [stubborn(() => checkpoint().catch(() => {})), tidy]) {
      await injectCancellation(body, { grace: 60 });
      const { kind, cause } = await failureOf(body, { grace: 10 });
      expect(kind).toBe("swallowed");
      expect((cause as Error).message).toBe(
        "stubborn was cancelled, and went on all the same: it began more than 10 operations after that.\n" +
          "What catches Cancelled cleans up and throws it on; a loop that tries again asks isCancellation(error) first",
      );
    }
    // The one that is refused, and those that clean up.
    await injectCancellation(tidy, { grace: 31 });
    await failureOf(tidy, { grace: 30 });
  });

  test("that a task goes on for ever before the first step", async () => {
    const { kind } = await failureOf(async () => {
      for (let isDone = false; !isDone; ) {
        await sleep(1).then(
          () => {
            isDone = true;
          },
          () => {},
        );
      }
    });
    expect(kind).toBe("swallowed");
  });

  test("that `check` throws, at once or later", async () => {
    const { message, cause } = await failureOf(() => checkpoint(), { seeds: 0, check: () => Promise.reject(boom) });
    expect(message).toContain(
      "3 of 3 runs with an injection fail, at 2 places:\n  main: checkpoint\n    error: boom\n      2 times, first: ",
    );
    expect(message).toContain("Injected: everything is cancelled before the first step, right before checkpoint 1 of 2: main: checkpoint.");
    expect(cause).toBe(boom);
  });

  test("that an invariant breaks", async () => {
    const careless: SimBody = (sim) => {
      let inside = 0;
      sim.invariant("one at a time", () => inside <= 1);
      for (const at of [1, 5]) {
        sim.root.startSoon(async () => {
          await sleep(at);
          inside++;
          await sleep(1);
          inside--;
        });
      }
    };
    const { kind, message } = await failureOf(careless, { timeRaces: false });
    expect(kind).toBe("invariant");
    expect(message).toContain('invariant: InvariantError: the invariant "one at a time" is broken');
    await injectCancellation(careless, { targets: ["root"], timeRaces: false });
  });

  test("not that something does not come true any more", async () => {
    const hopeful: SimBody = async (sim) => {
      let isDone = false;
      sim.eventually("done", () => isDone);
      const work = async () => {
        await sleep(1);
        isDone = true;
      };
      sim.root.startSoon(work, { name: "doer" });
      await sleep(2);
      sim.eventually("done later", () => isDone);
    };
    await injectCancellation(hopeful);
  });
});

describe("a fault", () => {
  const body: SimBody = async () => {
    const lock = new Lock();
    await lock.acquire();
    await sleep(1).finally(() => lock.release());
  };

  test("is thrown by the operation; wrapped or in a group it is still expected", async () => {
    const seen: unknown[] = [];
    const fault = (at: unknown) => {
      seen.push(at);
      return boom;
    };
    expect(await injectCancellation(body, { modes: ["fault"], fault, seeds: 0 })).toEqual({ points: 2, runs: 2 });
    expect(seen).toEqual([
      { task: "main", op: "acquire", object: "Lock" },
      { task: "main", op: "sleep", object: "" },
    ]);
    const wrapping: SimBody = async (sim) => {
      await Promise.resolve(body(sim)).catch((cause) => Promise.reject(new Error("wrapped", { cause })));
    };
    await injectCancellation(wrapping, { modes: ["fault"] });
    await injectCancellation(body, { modes: ["fault"], errors: "group" });
  });

  test("is not all that may come of it: what fails because of it is told", async () => {
    const clumsy: SimBody = (sim) => {
      sim.root.startSoon(() => sleep(1), { name: "one" });
      sim.root.startSoon(() => sleep(2).catch(() => Promise.reject(boom)), { name: "two" });
    };
    const { cause, message } = await failureOf(clumsy, { modes: ["fault"], seeds: 0 });
    expect(message).toMatch(/^2 of 2 runs/);
    expect(cause).toMatchObject({ name: "ErrorGroup", errors: [{ message: "a fault was injected into one: sleep" }, boom] });
  });

  test("that is not handled is found, and replays with the same fault", async () => {
    const leaking: SimBody = async () => {
      const semaphore = new Semaphore(1);
      free = semaphore;
      await semaphore.acquire();
      await sleep(1);
      semaphore.release();
    };
    let free = new Semaphore(1);
    const check = () => expect(free.value).toBe(1);
    const found = await failureOf(leaking, { modes: ["fault"], check, seeds: 0 });
    expect(found.message).toContain(
      "Injected: a fault in step 1, as the outcome of checkpoint 2 of 3: main: sleep. Without that, this schedule passes.",
    );
    expect(found.replay).toMatch(/^f:#...@2f$/);
    expect((await rejectionAs(ScheduleFailure, replay(found.replay, leaking, { check }))).replay).toBe(found.replay);
    await replay(found.replay, leaking);
  });
});

describe("the body", () => {
  test("that fails by itself is told so", async () => {
    const failure = await failureOf(() => checkpoint().then(() => Promise.reject(boom)));
    expect(failure.cause).toBe(boom);
    expect(failure.message).toMatch(/^error: boom\n\nIt fails without an injection\. It fails in the default order\.\n/);
    expect(failure.replay).toMatch(/^f:#...$/);
  });

  test("that is not the same each time is told so", async () => {
    let runs = 0;
    const { kind, message } = await failureOf(async () => {
      if (runs++ % 2 === 0) await checkpoint();
      await sleep(1);
    });
    expect(kind).toBe("nondeterminism");
    expect(message).toContain('the same schedule took two paths: step 1 was "main: checkpoint", and then "main: sleep"');
  });

  test("without a checkpoint is refused, for it would prove nothing", async () => {
    const message = "the body that injectCancellation() runs has no checkpoint at which anything could be injected";
    expect(await rejectionOf(injectCancellation(() => {}, { modes: ["enter"] }))).toMatchObject({ name: "UsageError", message });
    expect(await rejectionOf(injectCancellation((sim) => void sim.root.startSoon(() => {}), { modes: ["enter"] }))).toMatchObject({
      message,
    });
  });
});

describe("replay() of an injection", () => {
  const { body, check } = poolProgram("item dropped");

  test("passes where the program has been repaired and takes the same path", async () => {
    const { replay: code } = await failureOf(body, { check, seeds: 0 });
    await replay(code, poolProgram().body);
  });

  test("tells when there is no such checkpoint, no such scope, or another path", async () => {
    const told = async (code: string) => (await rejectionAs(ReplayDiverged, replay(code, poolProgram().body))).message;
    expect(await told("f:@99e.root")).toMatch(
      /^the injection was recorded in another run: there are only 23 checkpoints\. The program has changed/,
    );
    expect(await told("f:@3e.scope=gone")).toMatch(/no scope of that name is open there/);
    expect(await told("f:#000@3e.root")).toMatch(/it passes, and took another path, which is f:#...@3e\.root/);
  });

  test("takes only codes that reports print", async () => {
    for (const code of [
      "f:#abc@",
      "f:#abc@0e.task",
      "f:#abc@1x.task",
      "f:#abc@1e",
      "f:#abc@1f.task",
      "f:#abc@1e.all",
      "f:#abc@1e.scope=",
    ]) {
      const message = `"${code}" is no schedule with an injection: one looks like f:#c6k@12b.task, as reports print it`;
      expect(await rejectionOf(replay(code, body))).toMatchObject({ name: "UsageError", message });
    }
    expect(await rejectionOf(replay("x@1e.task", body))).toMatchObject({ name: "UsageError" });
  });

  test("finds a scope by a name of any letters again", async () => {
    const odd: SimBody = () => new CancelScope({ name: "a b.c@ü" }).run(() => sleep(1).catch(() => Promise.reject(boom)));
    const { replay: code } = await failureOf(odd, { targets: [{ scope: "a b.c@ü" }] });
    expect(code).toMatch(/@1e\.scope=a%20b\.c%40%C3%BC$/);
    expect((await rejectionAs(ScheduleFailure, replay(code, odd))).cause).toBe(boom);
  });
});

describe("misuse", () => {
  const cases: readonly [options: unknown, name: string, message: string][] = [
    [{ modes: [] }, "UsageError", "`modes` of injectCancellation() is a list with something in it"],
    [{ modes: ["leave"] }, "UsageError", '`modes` of injectCancellation() are "enter", "blocked", "fault", not leave'],
    [{ targets: "task" }, "UsageError", "`targets` of injectCancellation() is a list with something in it"],
    [{ targets: ["all"] }, "UsageError", '`targets` of injectCancellation() are "task", "root", { scope: name }, not all'],
    [{ seeds: -1 }, "RangeError", "`seeds` of injectCancellation() is an integer from 0, not -1"],
    [{ grace: 0.5 }, "RangeError", "`grace` of injectCancellation() is an integer from 0, not 0.5"],
    [{ points: "some" }, "UsageError", '`points` of injectCancellation() is "every" or "sites", not some'],
    [{ fault: () => boom }, "UsageError", '`fault` of injectCancellation() would never be thrown: add "fault" to `modes`'],
    [{ check: 3 }, "UsageError", "`check` of injectCancellation() takes a function, not 3"],
    [{ expected: boom }, "UsageError", "`expected` of injectCancellation() takes a function, not Error: boom"],
    [{ settleMs: Number.NaN }, "RangeError", ""],
  ];
  for (const [options, name, message] of cases) {
    test(`is an error: ${Object.keys(options as object)[0]} ${JSON.stringify(options)}`, async () => {
      const error = (await rejectionOf(injectCancellation(() => checkpoint(), options as InjectOptions))) as Error;
      expect(error.name).toBe(name);
      if (message !== "") expect(error.message).toBe(message);
    });
  }

  test("is an error: a body that is no function", async () => {
    expect(await rejectionOf(injectCancellation(3 as never))).toMatchObject({ message: "injectCancellation() takes a function, not 3" });
  });
});
