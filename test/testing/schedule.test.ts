import { cloneMethod, hasCloneMethod, stringify } from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpoint, openNursery, sleep, UsageError } from "../../src/index.js";
import { fixedSchedule, ScheduleFailure } from "../../src/testing/index.js";
import { PlannedSchedule } from "../../src/testing/schedule.js";
import { FIFO, type Plan, planText, RUN, simplerPlans } from "../../src/testing/search/schedule-plan.js";
import { rejectionOf } from "../kernel/support.js";
import { ordering } from "./planted.js";

async function orderOf(run: (body: () => Promise<void>) => Promise<unknown>): Promise<string> {
  let order = "";
  await run(async () => {
    order = "";
    await openNursery((nursery) => {
      for (const name of ["a", "b", "c"]) {
        nursery.startSoon(async () => {
          order += name;
          await checkpoint();
          order += name.toUpperCase();
        });
      }
    });
  });
  return order;
}

describe("fixedSchedule()", () => {
  test("runs under that schedule, as often as one likes, and resolves to undefined", async () => {
    const fifo = fixedSchedule("F:");
    expect(await orderOf((body) => fifo.run(body))).toBe("abcABC");
    expect(await orderOf((body) => fifo.run(body))).toBe("abcABC");
    expect(await orderOf((body) => fixedSchedule("R:").run(body))).toBe("aAbBcC");
    expect(await orderOf((body) => fixedSchedule("R:1").run(body))).toBe("abBcCA");
    expect(await fifo.run(() => "a value")).toBeUndefined();
  });

  test("is as its text says: time races or does not, with the seed of chance", async () => {
    const seen: number[] = [];
    for (const code of ["F~3:", "F~3:", "F~4:"]) await fixedSchedule(code).run((sim) => seen.push(sim.random()));
    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]).not.toBe(seen[2]);
    const race = async (code: string): Promise<number> => {
      let passed = 0;
      await fixedSchedule(code).run(async (sim) => {
        sim.root.startSoon(() => sleep(10), { background: true });
        for (let i = 0; i < 5; i++) await checkpoint();
        passed = sim.now();
      });
      return passed;
    };
    expect(await race("F:1+9.0+9.0+9")).toBe(0);
    expect(await race("f:1+9.0+9.0+9")).toBe(10);
  });

  test("gives its text back, and that of the run when it has run", async () => {
    const schedule = fixedSchedule("R:1#zzz");
    expect(schedule.replay).toBe("R:1#zzz");
    expect(String(schedule)).toBe('fixedSchedule("R:1#zzz")');
    await schedule.run(ordering(1));
    expect(schedule.replay).toMatch(/^R:1#(?!zzz)...$/);
  });

  test("fails as simulate() does, with the text of the schedule that it took", async () => {
    const schedule = fixedSchedule("R:1.1");
    const failure = (await rejectionOf(
      schedule.run(async (sim) => {
        sim.root.startSoon(() => checkpoint());
        await checkpoint();
        throw new Error("boom");
      }),
    )) as ScheduleFailure;
    expect(failure).toBeInstanceOf(ScheduleFailure);
    expect(failure.kind).toBe("error");
    expect(schedule.replay).toBe(failure.replay);
    expect(String(schedule)).toBe(`fixedSchedule("${failure.replay}")\n${failure.timeline}\n`);
  });

  test("refuses what is no schedule", () => {
    expect(() => fixedSchedule("x")).toThrow(UsageError);
    expect(() => fixedSchedule("f:#c6k@12b.task")).toThrow(UsageError);
  });
});

describe("a random schedule", () => {
  const plan: Plan = { kind: "pos", seed: 5, limit: Number.POSITIVE_INFINITY, gaps: [] };

  test("has a text when it has run, and is that text from then on", async () => {
    const schedule = new PlannedSchedule(plan, { timeRaces: false });
    expect(() => schedule.replay).toThrow(UsageError);
    expect(String(schedule)).toBe("schedule(pos of seed 5)");
    const order = await orderOf((body) => schedule.run(body));
    expect(await orderOf((body) => schedule.run(body))).toBe(order);
    expect(await orderOf((body) => fixedSchedule(schedule.replay).run(body))).toBe(order);
  });

  test("a clone prints the run of its original, until it runs itself", async () => {
    const schedule = new PlannedSchedule(FIFO, {});
    await rejectionOf(schedule.run(() => Promise.reject(new Error("boom"))));
    const clone = schedule[cloneMethod as never] as unknown as () => PlannedSchedule;
    const copy = Reflect.apply(clone, schedule, []);
    expect(hasCloneMethod(schedule)).toBe(true);
    expect(copy).not.toBe(schedule);
    expect(stringify(copy)).toBe(stringify(schedule));
    expect(stringify(copy)).toMatch(/^fixedSchedule\("f:#..."\)\n/);
    await copy.run(() => checkpoint());
    expect(stringify(copy)).toMatch(/^fixedSchedule\("f:#..."\)$/);
    expect(stringify(schedule)).toContain("step");
  });

  test("below its limit and out of its gaps only", async () => {
    const orderFor = (rest: Partial<Plan>) =>
      orderOf((body) => new PlannedSchedule({ ...plan, ...rest } as Plan, { timeRaces: false }).run(body));
    expect(await orderFor({ limit: 0 })).toBe("aAbBcC");
    expect(await orderFor({ gaps: [[0, 100]] })).toBe("aAbBcC");
    const orders = await Promise.all([1, 2, 3, 4, 5].map((seed) => orderFor({ seed })));
    expect(new Set(orders).size).toBeGreaterThan(2);
    expect(planText({ ...plan, limit: 8, gaps: [[2, 4]] } as Plan)).toBe("pos of seed 5, up to choice 8, without 2-3");
  });
});

describe("what is simpler than a schedule, in this order:", () => {
  const list = (plan: Plan, isReduced = false) => [...simplerPlans(plan, 3, isReduced)].map(({ plan: each }) => text(each));
  const text = (plan: Plan) =>
    "base" in plan
      ? `${plan.base} ${plan.picks.map((pick) => pick.join("+")).join(" ")}`.trim()
      : `${plan.limit} ${JSON.stringify(plan.gaps)}`;
  const singles = ["run 0+1", "run 0+2", "run 0+3", "run 1+1", "run 1+2", "run 1+3", "run 2+1", "run 2+2", "run 2+3"];

  test("first in, first out has nothing, and each until it waits has that", () => {
    expect(list(FIFO)).toEqual([]);
    expect(list(RUN)).toEqual(["fifo"]);
  });

  test("one preemption: none, and the earlier ones", () => {
    expect(list({ base: "run", picks: [[1, 2]] })).toEqual(["fifo", "run", ...singles.slice(0, 4)]);
  });

  test("several: none, each single one, fewer, earlier", () => {
    expect(
      list({
        base: "run",
        picks: [
          [1, 2],
          [5, 1],
        ],
      }),
    ).toEqual(["fifo", "run", ...singles, "run 1+2", "run 5+1", "run 1+1 5+1", "run 0+2 5+1", "run 1+2 3+1", "run 1+2 4+1"]);
    expect(
      list(
        {
          base: "run",
          picks: [
            [1, 1],
            [2, 1],
          ],
        },
        true,
      ),
    ).toEqual(["fifo", "run", "run 1+1", "run 2+1", "run 0+1 2+1"]);
  });

  test("random ones: shorter, then with gaps", () => {
    const plan = { kind: "pos", seed: 1, gaps: [] } as const;
    expect(list({ ...plan, limit: Number.POSITIVE_INFINITY }, true)).toEqual(["fifo", "run", "1 []", "2 []"]);
    expect(list({ ...plan, limit: 4, gaps: [[0, 2]] }, true)).toEqual([
      "fifo",
      "run",
      "2 [[0,2]]",
      "3 [[0,2]]",
      "4 [[0,4]]",
      "4 [[0,3]]",
      "4 [[0,2],[3,4]]",
    ]);
  });

  test("it comes to an end, whichever is taken", () => {
    let plan: Plan = {
      base: "run",
      picks: [
        [4, 3],
        [9, 2],
        [30, 3],
      ],
    };
    let isReduced = false;
    for (let i = 0; i < 200; i++) {
      const last: { readonly plan: Plan; readonly isReduced: boolean } | undefined = [...simplerPlans(plan, 10, isReduced)].at(-1);
      if (last === undefined) return;
      ({ plan, isReduced } = last);
    }
    throw new Error("it goes on and on");
  });
});
