import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, type Nursery, openNursery, sleep, sleepForever, type Task, TaskCancelledError } from "../../src/index.js";
import { interpret } from "../support/interpret.js";
import { isFloating, lineOf } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { THROWN } from "../support/program.js";
import { programs } from "../support/programs.js";
import { schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** What comes out of `wait`: a value or an error. */
async function outcomeOf(wait: () => Promise<unknown>): Promise<unknown> {
  try {
    return await wait();
  } catch (error) {
    return error;
  }
}

describe("R7: a peer's cancellation is not mine", () => {
  test("nothing ever throws Cancelled where nothing is cancelled: whatever is joined, started, left or waited for", async () => {
    const honest = programs({ thrown: THROWN.filter((what) => what !== "stale") });
    await fc.assert(
      fc.asyncProperty(honest, schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
        const { log } = await interpret(program, { schedule, mode });
        for (const entry of log) {
          const isThrown = entry.what === "end" && entry.outcome?.ok === false && entry.outcome.error instanceof Cancelled;
          // What nobody awaits is cancelled at the end of its scope, which is not.
          if (isThrown && !isFloating(entry.place)) expect(entry.isCancelled, lineOf(entry)).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });

  // A cleanup may add a cancellation to a body that has ended with a value.
  const uncleaned = programs({ without: ["defer", "use"] });

  test("a scope says that it has caught its cancellation exactly if it ended without the value of its body, though nothing failed", async () => {
    await fc.assert(
      fc.asyncProperty(uncleaned, schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
        const { log } = await interpret(program, { schedule, mode });
        for (const entry of log) {
          const { what, place, outcome } = entry;
          if (what !== "settle" || outcome === undefined || place.statement?.op !== "scope") continue;
          if (isFloating(place)) continue;
          const { cancelledCaught, cancelCalled } = place.scope;
          expect(cancelledCaught, lineOf(entry)).toBe(outcome.ok && outcome.value === undefined);
          if (cancelledCaught) expect(cancelCalled, lineOf(entry)).toBe(true);
          else if (outcome.ok) expect(outcome.value).toBe(place.id);
        }
      }),
      { numRuns: 1000 },
    );
  });

  const ends: Readonly<Record<string, (task: Task, scope: CancelScope, nursery: Nursery) => void>> = {
    "its own cancel()": (task) => task.cancel("expected"),
    "its own deadline": (task) => {
      task.deadline = -1;
    },
    "its nursery's cancel()": (_, __, nursery) => nursery.cancel("expected"),
    "a scope around its nursery": (_, scope) => scope.cancel("expected"),
  };

  describe.each(Object.entries(ends))("joining a task that was cancelled by %s", (_, cancel) => {
    test.each([
      ["before", 0],
      ["after", 5],
    ])("throws TaskCancelledError, with the cancellation as its cause, if the join began %s that", async (_, late) => {
      await simulate(async (root) => {
        const scope = new CancelScope();
        let task: Task | undefined;
        let joined: Promise<unknown> | undefined;
        root.startSoon(async () => {
          await sleep(1 + late);
          joined = outcomeOf(() => (task as Task).join());
          await joined;
        });
        await scope.run(() =>
          openNursery(async (nursery) => {
            task = nursery.startSoon(() => sleepForever(), { name: "peer" });
            await sleep(2);
            cancel(task, scope, nursery);
          }),
        );
        await sleep(10);
        const error = await joined;
        expect(error).toBeInstanceOf(TaskCancelledError);
        expect(error).not.toBeInstanceOf(Cancelled);
        expect((error as TaskCancelledError).cause).toBeInstanceOf(Cancelled);
        expect((error as TaskCancelledError).task).toBe("root > nursery > peer");
        expect(root.cancelCalled).toBe(false);
      });
    });
  });

  test("but whoever joins, and is cancelled as well, gets the cancellation of its own", async () => {
    await simulate(async () => {
      const errors: unknown[] = [];
      await openNursery((nursery) => {
        const task = nursery.startSoon(() => sleepForever());
        nursery.startSoon(async () => {
          errors.push(await outcomeOf(() => task.join()));
        });
        nursery.startSoon(async () => {
          await sleep(1);
          nursery.cancel();
        });
      });
      expect(errors).toEqual([expect.any(Cancelled)]);
    });
  });

  test("whoever starts a task from outside for a nursery that is cancelled gets TaskCancelledError; from inside, the cancellation", async () => {
    await simulate(async (root) => {
      const errors: unknown[] = [];
      await openNursery((nursery) => {
        const start = async () => {
          errors.push(await outcomeOf(() => nursery.start(() => sleepForever())));
        };
        root.startSoon(start);
        nursery.startSoon(start);
        nursery.startSoon(async () => {
          await sleep(1);
          nursery.cancel();
        });
      });
      await sleep(1);
      expect(errors).toEqual(expect.arrayContaining([expect.any(TaskCancelledError), expect.any(Cancelled)]));
      expect(errors.length).toBe(2);
    });
  });

  test("an unhandled TaskCancelledError is a failure like any other", async () => {
    const outcome = simulate((root) => {
      const task = root.startSoon(() => sleepForever());
      root.startSoon(() => task.join());
      task.cancel();
    });
    await expect(outcome).rejects.toBeInstanceOf(TaskCancelledError);
  });
});
