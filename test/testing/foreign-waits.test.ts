import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkpoint, Event, failAfter, sleep } from "../../src/index.js";
import { nextTurn } from "../../src/kernel/next-turn.js";
import {
  explore,
  fixedSchedule,
  injectCancellation,
  replay,
  ScheduleFailure,
  type Sim,
  type SimBody,
  simulate,
} from "../../src/testing/index.js";
import { rejectionAs } from "../kernel/support.js";

/** Real time goes on whenever somebody looks: a simulation that waits does so in each turn of the event loop. */
const LOOK_MS = 0.1;

beforeEach(() => {
  let real = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    real += LOOK_MS;
    return real;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Goes on outside for many turns, some 20 ms, and no platform tells of it: as a hash does, or compression. */
async function hash(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await nextTurn();
}

/** Calls `body`, and counts. */
function counted(body: SimBody): { readonly body: SimBody; runs: number } {
  const counting = {
    runs: 0,
    body: (sim: Sim) => {
      counting.runs++;
      return body(sim);
    },
  };
  return counting;
}

/** Two tasks, each with something of its own in the middle. */
const two = (middle: () => unknown): SimBody => {
  return (sim) => {
    for (let who = 0; who < 2; who++) {
      sim.root.startSoon(async () => {
        await checkpoint();
        await middle();
        await checkpoint();
      });
    }
  };
};

/** One task awaits a promise that the other one settles. */
const shared: SimBody = (sim) => {
  let settle: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  sim.root.startSoon(() => promise);
  sim.root.startSoon(async () => {
    await sleep(5);
    settle();
    await checkpoint();
  });
};

describe.each(["auto", "sync"] as const)('what goes on outside and is not seen there, with drain: "%s",', (drain) => {
  const exhaustive = { strategy: { kind: "exhaustive" }, timeRaces: false, schedules: 30, timeMs: 1e6, drain } as const;

  test("is part of its step: explore() begins anew when others have gone on without it", async () => {
    const hashing = counted(two(hash));
    const without = await explore(
      two(() => {}),
      exhaustive,
    );
    const { externals, ...report } = await explore(hashing.body, exhaustive);
    expect({ ...report, ms: 0, externals: [] }).toEqual({ ...without, ms: 0 });
    expect(externals.map(({ after, settled }) => [after, settled])).toEqual([
      ["checkpoint", true],
      ["checkpoint", true],
    ]);
    // The first run, which was in vain; then all of them, the first one twice.
    expect(hashing.runs).toBe(1 + report.schedules + 1);
  });

  test("is noticed also where its task does nothing more", async () => {
    const hashing = counted(async (sim) => {
      sim.root.startSoon(hash);
      sim.root.startSoon(() => sleep(5));
    });
    const { schedules } = await explore(hashing.body, exhaustive);
    expect(hashing.runs).toBe(1 + schedules + 1);
  });

  test("is no promise of another task: where there is only such a one, nothing is run in vain", async () => {
    const sharing = counted(shared);
    const { schedules } = await explore(sharing.body, exhaustive);
    expect(sharing.runs).toBe(schedules + 1);
  });

  test("is told from one beside it: both come back as they should", async () => {
    const both = counted(async (sim) => {
      await shared(sim);
      await two(hash)(sim);
    });
    const { schedules, externals } = await explore(both.body, { ...exhaustive, strategy: { kind: "random" } });
    expect(both.runs).toBe(1 + schedules + 1);
    expect(externals.filter(({ settled }) => !settled).map(({ task }) => task)).toEqual(["task#1"]);
  });

  test("is part of its step also where a cancellation is injected, and in a replay: they begin anew", async () => {
    const [plain, hashing] = [counted(two(() => {})), counted(two(hash))];
    const report = await injectCancellation(plain.body, { drain });
    expect(await injectCancellation(hashing.body, { drain })).toEqual(report);
    expect(hashing.runs).toBe(1 + plain.runs);
    const wrong = counted(async (sim) => {
      await two(hash)(sim);
      await sim.idle();
      throw new Error("found");
    });
    const { replay: code } = await rejectionAs(ScheduleFailure, explore(wrong.body, exhaustive));
    wrong.runs = 0;
    expect((await rejectionAs(ScheduleFailure, replay(code, wrong.body, { drain }))).replay).toBe(code);
    expect(wrong.runs).toBe(2);
  });

  test("is nothing that a body is run again for which is to run once; the report tells", async () => {
    const once = counted((sim) => {
      sim.root.startSoon(() => sleep(500));
      return failAfter(100, () => hash().then(() => checkpoint()));
    });
    const failure = await rejectionAs(ScheduleFailure, simulate(once.body, { drain }));
    expect(failure.message).toContain(
      "Others went on while something was awaited that is not of this library (main, after: start), because nothing was seen to be in flight: pass it to sim.external().",
    );
    expect(once.runs).toBe(1);
    await rejectionAs(ScheduleFailure, fixedSchedule("f:", { drain }).run(once.body));
    expect(once.runs).toBe(2);
    const told = (sim: Sim) => failAfter(100, () => sim.external(hash()).then(() => checkpoint()));
    await simulate(told, { drain });
  });

  test("is no mistake where nobody went on without it", async () => {
    const alone = counted(async () => {
      await hash();
      await checkpoint();
      await hash();
    });
    const { schedules } = await explore(alone.body, { ...exhaustive, schedules: 3 });
    expect(alone.runs).toBe(schedules + 1);
  });
});

test("a promise that is settled in a step counts as settled by it, however many microtasks it takes", async () => {
  const sharing = counted(async (sim) => {
    const event = new Event();
    const far = async (depth: number): Promise<void> => (depth === 0 ? event.wait() : far(depth - 1));
    const promise = sim.root.startSoon(() => far(100)).join();
    sim.root.startSoon(() => (async () => void (await promise))());
    await sleep(5);
    event.set();
  });
  const { schedules } = await explore(sharing.body, { schedules: 10 });
  expect(sharing.runs).toBe(schedules + 1);
});
