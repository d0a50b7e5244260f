import { describe, expect, test } from "vitest";
import { checkpoint, Event, Lock, now, openNursery, sleep } from "../../src/index.js";
import { linkOf } from "../../src/kernel/foreign-signal.js";
import { type ExploreOptions, explore, replay, ScheduleFailure, type Sim, type SimOptions, simulate } from "../../src/testing/index.js";
import { rejectionAs } from "../kernel/support.js";

const failure = (body: (sim: Sim) => Promise<unknown>, options: ExploreOptions = {}) =>
  rejectionAs(ScheduleFailure, explore(body, { timeRaces: false, ...options }));
const failureOnce = (body: (sim: Sim) => Promise<unknown>, options: SimOptions = {}) =>
  rejectionAs(ScheduleFailure, simulate(body, options));
/** Where tasks wait, without lines of this file. */
const told = ({ message }: Error) => `\n${message.replace(/(test\.ts):\d+:\d+/g, "$1")}`;

describe("the report of", () => {
  test("an error that some schedule has", async () => {
    const error = new Error("an update is lost");
    const found = await failure(async (sim) => {
      const state = sim.shared("state", { n: 0 });
      await openNursery((nursery) => {
        for (const name of ["A", "B"]) {
          nursery.startSoon(
            async () => {
              const { n } = state;
              if (name === "A") await checkpoint();
              state.n = n + 1;
            },
            { name },
          );
        }
      });
      if (state.n !== 2) throw error;
    });
    expect([found.name, found.kind, found.cause]).toEqual(["ScheduleFailure", "error", error]);
    expect(told(found)).toMatchInlineSnapshot(`
      "
      error: an update is lost

      Found by schedule 1. It fails in the default order.

      Run it again: SIM_REPLAY=F:#dib, or: await replay("F:#dib", body)

        step     time | A          | B     | main
           1      0ms | start      |       |                       | reads state.n
           2      0ms |            | start |                       | reads state.n; writes state.n
           3      0ms | checkpoint |       |                       | writes state.n; report.test.ts
           4      0ms |            |       | leave Nursery nursery | reads state.n; report.test.ts
           5      0ms |            |       | leave Nursery root
      "
    `);
  });

  test("a deadlock, with its cycle", async () => {
    const found = await failure(async () => {
      const [p, q] = [new Lock(), new Lock()];
      await openNursery((nursery) => {
        nursery.startSoon((task) => p.run(() => q.run(() => {}, task), task), { name: "A" });
        nursery.startSoon(
          async (task) => {
            for (let i = 0; i < 3; i++) await checkpoint();
            await q.run(() => p.run(() => {}, task), task);
          },
          { name: "B" },
        );
      });
    });
    expect(found.kind).toBe("deadlock");
    expect(found.waitGraph?.cycles).toEqual([["A", "B"]]);
    expect(told(found)).toMatchInlineSnapshot(`
      "
      deadlock: nothing can go on any more, and no time can pass that would change that

        main waits: leave nursery, in which A, B go on
        A waits: acquire Lock, held by B
        B waits: acquire Lock(2), held by A
        cycle: A -> B -> A

      Found by schedule 4. The default order passes. Here each task goes on until it waits, but where a * stands.

      Run it again: SIM_REPLAY=R:1#wps, or: await replay("R:1#wps", body)

        step     time | A               | B               | main
           1      0ms | start           |                 |
      *    2      0ms |                 | start           |
           3      0ms |                 | checkpoint      |                       | report.test.ts
           4      0ms |                 | checkpoint      |                       | report.test.ts
           5      0ms |                 | checkpoint      |                       | report.test.ts
           6      0ms |                 | acquire Lock    |                       | report.test.ts
           7      0ms | acquire Lock(2) |                 |                       | report.test.ts
        ---- found here; the rest is how the run ended when it was cancelled for that
           8      0ms | acquire Lock    |                 |                       | report.test.ts
           9      0ms |                 | acquire Lock(2) |                       | report.test.ts
          10      0ms |                 |                 | leave Nursery nursery | report.test.ts
          11      0ms |                 |                 | leave Nursery root
      "
    `);
  });

  test("a livelock, with its cycle", async () => {
    const found = await failureOnce(
      async (sim) => {
        let isOver = false;
        for (const name of ["A", "B"]) {
          sim.root.startSoon(
            async () => {
              while (!isOver) await checkpoint();
            },
            { name },
          );
        }
        await new Event().wait();
        isOver = true;
      },
      { maxSteps: 40 },
    );
    expect(found.kind).toBe("livelock");
    expect(told(found).split("\n\n").slice(0, 2).join("\n\n")).toMatchInlineSnapshot(`
      "
      livelock: LivelockError: no end after 40 steps: a cycle of 2 steps
        A: checkpoint | B: checkpoint

        main waits: wait Event"
    `);
  });

  test("a leak of a listener on a foreign signal", async () => {
    const { signal } = new AbortController();
    const linked = { _abortedBy() {} };
    const leaving = async () => linkOf(signal).add(linked);
    const found = await failureOnce(leaving);
    expect(found.kind).toBe("leak");
    expect(told(found)).toMatchInlineSnapshot(`
      "
      leak: LeakError: something is left after the end:
        a foreign signal is still listened to

      Run it again: SIM_REPLAY=F:#lth, or: await replay("F:#lth", body)

        step     time | main
           1      0ms | leave Nursery root
      "
    `);
    linkOf(signal).delete(linked);
    await simulate(leaving, { leaks: { listeners: false } });
    linkOf(signal).delete(linked);
  });

  test("what is left open of the platform", async () => {
    const timers: NodeJS.Timeout[] = [];
    // Several, because timers of the test runner that end meanwhile are taken for them.
    const leaving = async () => {
      for (let i = 0; i < 8; i++) timers.push(setTimeout(() => {}, 1e6));
    };
    const clear = () => {
      for (const timer of timers) clearTimeout(timer);
    };
    const found = await failureOnce(leaving);
    clear();
    expect([found.kind, (found.cause as Error).message]).toEqual([
      "leak",
      "something is left open after the end: Timeout. A real timer is cleared by whoever set it; sleep() needs no clearing",
    ]);
    await simulate(leaving, { leaks: { handles: false } });
    clear();
    const many = await failure(leaving, { schedules: 1, checkDeterminism: false });
    clear();
    expect(many.kind).toBe("leak");
    expect(many.message).toContain("After 1 schedules; this is the last of them.");
  });

  test("an invariant that is broken, also by the last step", async () => {
    const found = await failureOnce(async (sim) => {
      let n = 0;
      sim.invariant("n stays below 2", () => n < 2);
      for (let i = 0; i < 3; i++) {
        await checkpoint();
        n++;
      }
    });
    expect(found.kind).toBe("invariant");
    expect(told(found)).toMatchInlineSnapshot(`
      "
      invariant: InvariantError: the invariant "n stays below 2" is broken

      Run it again: SIM_REPLAY=F:#y3b, or: await replay("F:#y3b", body)

        step     time | main
           1      0ms | checkpoint
           2      0ms | checkpoint
        ---- found here; the rest is how the run ended when it was cancelled for that
           3      0ms | checkpoint
           4      0ms | leave Nursery root
      "
    `);
    let isBroken = false;
    const last = await failureOnce(async (sim) => {
      sim.invariant("to the end", () => !isBroken);
      sim.root.defer(() => {
        isBroken = true;
      });
    });
    expect(last.kind).toBe("invariant");
  });

  test("what was to come true and has not", async () => {
    const never = (bound: object | undefined) =>
      failureOnce(async (sim) => {
        sim.eventually("somebody is served", () => false, bound);
        for (let i = 0; i < 30; i++) await sleep(1);
      });
    expect((await never(undefined)).kind).toBe("liveness");
    expect(((await never(undefined)).cause as Error).message).toBe('"somebody is served" has not come true at the end of the run');
    expect(((await never({ steps: 5 })).cause as Error).message).toBe('"somebody is served" has not come true within 5 steps');
    expect(((await never({ ms: 5 })).cause as Error).message).toBe('"somebody is served" has not come true within 5 ms');
    await simulate(async (sim) => {
      let isServed = false;
      sim.eventually("somebody is served", () => isServed, { ms: 5 });
      await sleep(4);
      isServed = true;
    });
  });

  test("a promise that nothing settles, and that is no operation of the library", async () => {
    const found = await failureOnce(
      async (sim) => {
        sim.root.startSoon(() => new Promise(() => {}), { name: "stuck" });
        await checkpoint();
      },
      { settleMs: 20 },
    );
    expect(found.kind).toBe("external");
    expect(told(found)).toMatchInlineSnapshot(`
      "
      external: nothing can go on any more, and no time can pass that would change that

        main waits: leave root, in which stuck goes on
        stuck waits for something that is not of this library, after: start

      Run it again: SIM_REPLAY=F:#bnp, or: await replay("F:#bnp", body)

        step     time | stuck | main
           1      0ms | start |
           2      0ms |       | checkpoint
      "
    `);
  });

  test("a real timer inside, which takes longer than is granted", async () => {
    // Several, because timers of the test runner that end meanwhile are taken for them.
    const slow = () => Promise.all([200, 200, 200, 200].map((ms) => new Promise((resolve) => setTimeout(resolve, ms))));
    const found = await failureOnce(slow, { settleMs: 20, leaks: { handles: false } });
    expect([found.kind, (found.cause as Error).message]).toEqual([
      "external",
      `something that is not of this library was awaited, and was not settled within 20 ms of real time. Real timers do not follow virtual time: use sleep(ms):
  main, after: start`,
    ]);
  });

  test("a foreign promise where none is allowed", async () => {
    const found = await failureOnce(() => new Promise((resolve) => setTimeout(resolve, 5)), {
      leaks: { handles: false },
      external: "fail",
    });
    expect((found.cause as Error).message).toContain('which `external: "fail"` forbids');
  });

  test("nondeterminism: state that outlives a run, real time, and random numbers that are not the simulation's", async () => {
    let runs = 0;
    const found = await failure(async () => {
      if (runs++ > 0) await sleep(1);
      await checkpoint();
    });
    expect(found.kind).toBe("nondeterminism");
    expect(told(found)).toMatchInlineSnapshot(`
      "
      nondeterminism: NondeterminismError: the same schedule took two paths: step 1 was "main: checkpoint", and then "main: sleep".
      Something in the program is not under control. Instead of Date.now() and performance.now(), use now() or sim.now(); of Math.random(), sim.random(); of setTimeout(), sleep(); between tasks, an Event, a channel or join(), not a promise; and make all state anew in each run.

      The first schedule was run twice.

      Run it again: SIM_REPLAY=F:#gt2, or: await replay("F:#gt2", body)

        step     time | main
           1      1ms | sleep
           2      1ms | checkpoint
           3      1ms | leave Nursery root
      "
    `);
    let clock = 1000;
    const timed = await failure(async () => {
      await sleep(clock++);
    });
    expect((timed.cause as Error).message).toContain('step 1, "main: sleep", was at 1000 ms of virtual time, and then at 1001 ms');
    let isSecond = false;
    const failing = await failure(async () => {
      if (isSecond) throw new Error("boom");
      isSecond = true;
    });
    expect((failing.cause as Error).message).toContain("it passed, and then failed: boom.");
  });
});

describe("a timeline", () => {
  const long = async (sim: Sim) => {
    const pick = sim.choose(3, "replica");
    sim.shared("state", { pick }).pick = 1;
    for (let i = 0; i < 90; i++) await checkpoint();
    throw new Error("boom");
  };

  test("leaves out the middle of a long run, and tells what was chosen before the first step", async () => {
    const { timeline, steps } = await failureOnce(long);
    const lines = timeline.split("\n");
    expect(steps.length).toBeGreaterThan(90);
    expect(lines).toHaveLength(1 + 20 + 1 + 60);
    expect(lines[21]).toBe("      …");
    expect(lines[1]).toMatch(/writes state\.pick$/);
    const other = await rejectionAs(ScheduleFailure, replay("r:0", long, { sites: false }));
    expect(other.timeline.split("\n")[1]).toMatch(/replica: 1 of 3; writes state\.pick$/);
  });

  test("marks departures, and goes into Perfetto", async () => {
    const found = await failure(async (sim) => {
      let last = "";
      const note = (name: string) => {
        last = name;
      };
      for (const name of ["A", "B"]) sim.root.startSoon(() => note(name), { name });
      await sleep(1);
      expect(now()).toBe(1);
      if (last === "A") throw new Error("order");
    });
    expect(found.timeline.split("\n").filter((line) => line.startsWith("*"))).toHaveLength(1);
    const { traceEvents } = found.toTraceEvents();
    expect(traceEvents.filter(({ ph }) => ph === "M").map(({ args }) => args)).toEqual([{ name: "B" }, { name: "A" }, { name: "main" }]);
    const events = traceEvents.filter(({ ph }) => ph === "X");
    expect(events).toHaveLength(found.steps.length);
    expect(events[0]).toMatchObject({ name: "start", ts: 0, dur: 1000, pid: 1, tid: 0, args: { departs: true, "virtual ms": 0 } });
    expect(JSON.parse(JSON.stringify(traceEvents))).toHaveLength(traceEvents.length);
  });
});
