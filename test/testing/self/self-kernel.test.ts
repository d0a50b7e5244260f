import { expect } from "vitest";
import {
  CancelScope,
  ContextVariable,
  checkpoint,
  collect,
  currentTask,
  failAfter,
  failFast,
  firstSuccess,
  moveOnAfter,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  TimeoutError,
  until,
} from "../../../src/index.js";
import { holds, Usage } from "./self.js";

const boom = new Error("boom");

holds("nested nurseries, scopes and cleanups", (nursery) => {
  const usage = new Usage();
  const cleaned: string[] = [];
  let begun = 0;
  const work = (name: string) => async (task: Task) => {
    begun++;
    task.defer(() => sleep(1).finally(() => cleaned.push(name)));
    await usage.during(() => sleep(2));
  };
  nursery.startSoon(
    () =>
      openNursery((inner) => {
        inner.startSoon(work("a"), { name: "a" });
        inner.startSoon(work("b"), { name: "b" });
      }),
    { name: "outer" },
  );
  nursery.startSoon(
    () =>
      new CancelScope({ name: "timed", timeout: 3 }).run(async (scope) => {
        scope.use({ [Symbol.asyncDispose]: () => sleep(1) });
        await usage.during(() => sleepForever());
      }),
    { name: "timed" },
  );
  return { always: () => expect([usage.now, cleaned.length]).toEqual([0, begun]) };
});

holds("failAfter, moveOnAfter and shield", (nursery) => {
  const usage = new Usage();
  let closed = 0;
  nursery.startSoon(
    async () => {
      await failAfter(3, () => usage.during(() => sleep(1)));
      const timedOut = failAfter(1, () => usage.during(() => sleepForever()));
      await timedOut.catch((error) => {
        if (!(error instanceof TimeoutError)) throw error;
      });
    },
    { name: "failing" },
  );
  nursery.startSoon(
    async () => {
      try {
        await moveOnAfter(2, () => usage.during(() => sleepForever()));
        await checkpoint();
      } finally {
        await shield(() => sleep(1), { timeout: 5 }).finally(() => closed++);
      }
    },
    { name: "moving on" },
  );
  return { always: () => expect([usage.now, closed]).toEqual([0, 1]) };
});

holds("a failure beside it", (nursery) => {
  const usage = new Usage();
  let told: unknown;
  nursery.startSoon(
    async () => {
      try {
        await openNursery((inner) => {
          inner.startSoon(() => usage.during(() => sleep(9)), { name: "sleeper" });
          inner.startSoon(() => sleep(1).then(() => Promise.reject(boom)), { name: "failing" });
        });
      } catch (error) {
        told = error;
        if (error !== boom) throw error;
      }
    },
    { name: "outer" },
  );
  return { always: () => expect(usage.now).toBe(0), complete: () => expect(told).toBe(boom) };
});

holds("nursery.start", (nursery) => {
  const usage = new Usage();
  let port: number | undefined;
  nursery.startSoon(
    async () => {
      await openNursery(async (inner) => {
        port = await inner.start<number>((_, started) =>
          usage.during(async () => {
            await sleep(1);
            started(80);
            await sleep(5);
          }),
        );
        await sleep(1);
        inner.cancel();
      });
    },
    { name: "caller" },
  );
  nursery.startSoon(
    async () => {
      await nursery.start((_, started) =>
        usage.during(async () => {
          await checkpoint();
          started(undefined);
          await sleep(2);
        }),
      );
    },
    { name: "other caller" },
  );
  return { always: () => expect(usage.now).toBe(0), complete: () => expect([port, usage.total]).toEqual([80, 2]) };
});

holds("join", (nursery) => {
  const results: unknown[] = [];
  const worker = nursery.startSoon(() => sleep(2).then(() => "value"), { name: "worker" });
  for (const name of ["one", "two"]) {
    nursery.startSoon(
      async () => {
        try {
          results.push(await worker.join());
        } catch (error) {
          // The worker was cancelled, not its joiner.
          if (!(error instanceof TaskCancelledError)) throw error;
          expect(worker.state).toBe("cancelled");
        }
      },
      { name },
    );
  }
  return {
    always: () => expect(results).toEqual(results.map(() => "value")),
    complete: () => expect(results).toHaveLength(2),
  };
});

holds("background tasks", (nursery) => {
  const usage = new Usage();
  nursery.startSoon(
    () =>
      openNursery((inner) => {
        inner.startSoon(() => usage.during(() => sleepForever()), { name: "background", background: true });
        inner.startSoon(() => usage.during(() => sleep(2)), { name: "foreground" });
      }),
    { name: "outer" },
  );
  return { always: () => expect(usage.now).toBe(0) };
});

holds("a run inside", (nursery) => {
  const usage = new Usage();
  const within = () => run((root) => void root.startSoon(() => usage.during(() => sleep(1))));
  nursery.startSoon(within, { name: "one" });
  nursery.startSoon(() => within().then(within), { name: "two" });
  return { always: () => expect(usage.now).toBe(0), complete: () => expect(usage.total).toBe(3) };
});

for (const [name, policyOf] of [
  ["failFast", failFast],
  ["collect", collect],
  ["firstSuccess", () => firstSuccess<string>()],
  ["until", () => until<string>(({ outcome }) => outcome.state === "done")],
] as const) {
  holds(
    `the policy ${name}`,
    (nursery) => {
      const usage = new Usage();
      let result: unknown;
      nursery.startSoon(
        async () => {
          try {
            result = await openNursery(
              (inner) => {
                inner.startSoon(() => usage.during(() => sleep(1).then(() => Promise.reject<string>(boom))), { name: "failing" });
                inner.startSoon(() => usage.during(() => sleep(2).then(() => "quick")), { name: "quick" });
                inner.startSoon(() => usage.during(() => sleep(5).then(() => "slow")), { name: "slow" });
              },
              { policy: policyOf() as never },
            );
          } catch (error) {
            if (error !== boom) throw error;
          }
        },
        { name: "outer" },
      );
      return {
        always: () => {
          expect(usage.now).toBe(0);
          if (name === "firstSuccess" && result !== undefined) expect(["quick", "slow"]).toContain(result);
        },
      };
    },
    { expected: (error) => error === boom },
  );
}

holds("ContextVariable", (nursery) => {
  const user = new ContextVariable<string>({ name: "user", defaultValue: "nobody" });
  const wrong: string[] = [];
  const look = (expected: string) => {
    if (user.get() !== expected) wrong.push(`${currentTask().name}: ${user.get()}`);
  };
  for (const name of ["ann", "bob"]) {
    nursery.startSoon(
      async () => {
        try {
          await user.run(name, async () => {
            await sleep(1);
            look(name);
            await openNursery((inner) => {
              inner.startSoon(async () => {
                look(name);
                await sleep(1).finally(() => look(name));
              });
            });
          });
        } finally {
          look("nobody");
        }
      },
      { name },
    );
  }
  return { always: () => expect(wrong).toEqual([]) };
});
