import { describe, expect, test } from "vitest";
import {
  type CancelPolicy,
  CancelScope,
  checkpoint,
  collect,
  ErrorGroup,
  failFast,
  firstSuccess,
  type JoinPolicy,
  moveOnAfter,
  Nursery,
  now,
  openNursery,
  run,
  type SettledTask,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  UsageError,
  until,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf } from "./support.js";

const boom = new Error("boom");
const bang = new Error("bang");

function failAt(ms: number, error: unknown = boom): () => Promise<never> {
  return () =>
    sleep(ms).then(() => {
      throw error;
    });
}

function at<T>(ms: number, value: T): () => Promise<T> {
  return () => sleep(ms).then(() => value);
}

/** Notes when it is cancelled. */
function waiting(log: string[], name = "waiting"): () => Promise<void> {
  return () => sleepForever().finally(() => log.push(`${name} cancelled at ${now()}`));
}

describe("failFast()", () => {
  test("is what a nursery does without a policy: the first failure cancels the others, and the value is the body's", async () => {
    const log: string[] = [];
    await simulate(async () => {
      expect(await openNursery(() => "body", { policy: failFast() })).toBe("body");
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(waiting(log));
          nursery.startSoon(failAt(5));
        },
        { policy: failFast() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["waiting cancelled at 5"]);
  });

  test("has the failure on record before the others are cancelled for it", async () => {
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject(bang)));
          nursery.startSoon(failAt(5));
        },
        { policy: failFast() },
      );
      expect((await rejectionAs(ErrorGroup, failing)).errors).toEqual([boom, bang]);
    });
  });
});

describe("collect()", () => {
  test("lets the others go on when a task fails, and throws the failures at the end, in order of occurrence", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(3, bang));
          nursery.startSoon(failAt(2, boom));
          nursery.startSoon(() => sleep(10).then(() => log.push(`ended at ${now()}`)));
          return "body";
        },
        { policy: collect() },
      );
      const group = await rejectionAs(ErrorGroup, failing);
      expect([group.errors, group.message]).toEqual([[boom, bang], "2 errors in root > nursery (Error: boom; Error: bang)"]);
      expect(now()).toBe(10);
    });
    expect(log).toEqual(["ended at 10"]);
  });

  test("throws a single failure as it is, or in a group if the nursery says so", async () => {
    await simulate(async () => {
      const body = (nursery: Nursery) => void nursery.startSoon(failAt(1));
      expect(await rejectionOf(openNursery(body, { policy: collect() }))).toBe(boom);
      const group = await rejectionAs(ErrorGroup, openNursery(body, { policy: collect(), errors: "group" }));
      expect(group.errors).toEqual([boom]);
    });
  });

  test("resolves to the body's value when nothing failed", async () => {
    await simulate(async () => {
      expect(await openNursery((nursery) => nursery.startSoon(at(5, "value")).join(), { policy: collect() })).toBe("value");
    });
  });

  test("does not keep the body from cancelling the tasks by its failure, nor the nursery from being cancelled", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        async (nursery) => {
          nursery.startSoon(waiting(log, "one"));
          await sleep(5);
          throw boom;
        },
        { policy: collect() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
      await openNursery(
        async (nursery) => {
          nursery.startSoon(waiting(log, "two"));
          await sleep(5);
          nursery.cancel();
        },
        { policy: collect() },
      );
    });
    expect(log).toEqual(["one cancelled at 5", "two cancelled at 10"]);
  });

  test("a failure that the body gets by joining, and does not catch, is a failure of the body; it is told once", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        async (nursery) => {
          nursery.startSoon(waiting(log));
          await nursery.startSoon(failAt(5)).join();
        },
        { policy: collect() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["waiting cancelled at 5"]);
  });

  test("failures win over a cancellation from outside", async () => {
    await simulate(async () => {
      const cut = moveOnAfter(10, () =>
        openNursery(
          (nursery) => {
            nursery.startSoon(failAt(1));
            nursery.startSoon(() => sleepForever());
          },
          { policy: collect() },
        ),
      );
      expect(await rejectionOf(cut)).toBe(boom);
    });
  });

  test("works for run() as well", async () => {
    const log: string[] = [];
    const failing = simulate(
      (nursery) => {
        nursery.startSoon(failAt(1));
        nursery.startSoon(() => sleep(5).then(() => log.push("ended")));
      },
      { policy: collect() },
    );
    expect(await rejectionOf(failing)).toBe(boom);
    expect(log).toEqual(["ended"]);
  });
});

describe("firstSuccess()", () => {
  test("resolves to the first value, when the others, which are cancelled for it, have ended", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const first = await openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1));
          nursery.startSoon(at(5, "five"));
          nursery.startSoon(at(6, "six"));
          nursery.startSoon(() =>
            sleepForever().finally(() =>
              shield(async () => {
                await sleep(10);
                log.push("cleaned up");
              }),
            ),
          );
        },
        { policy: firstSuccess<string>() },
      );
      expect([first, now()]).toEqual(["five", 15]);
    });
    expect(log).toEqual(["cleaned up"]);
  });

  test("cuts off the body too, and its value does not count", async () => {
    await simulate(async () => {
      const policy = firstSuccess<string>();
      const first = await openNursery(
        async (nursery) => {
          nursery.startSoon(at(5, "task"));
          await sleep(100);
          return "body";
        },
        { policy },
      );
      expect([first, now()]).toEqual(["task", 5]);
    });
  });

  test("throws the failures if there is no success: one as it is, several as a group of the nursery", async () => {
    await simulate(async () => {
      const one = openNursery((nursery) => void nursery.startSoon(failAt(1)), { policy: firstSuccess() });
      expect(await rejectionOf(one)).toBe(boom);
      const two = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(2, bang));
          nursery.startSoon(failAt(1, boom));
        },
        { policy: firstSuccess(), name: "mirrors" },
      );
      const group = await rejectionAs(ErrorGroup, two);
      expect([group.errors, group.message]).toEqual([[boom, bang], "2 errors in root > mirrors (Error: boom; Error: bang)"]);
      const grouped = openNursery((nursery) => void nursery.startSoon(failAt(1)), { policy: firstSuccess(), errors: "group" });
      expect((await rejectionAs(ErrorGroup, grouped)).errors).toEqual([boom]);
    });
  });

  test("the same error object counts once", async () => {
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1));
          nursery.startSoon(failAt(2));
        },
        { policy: firstSuccess() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });

  test("keeps the failures in `errors`, also those that a success or a cancellation from outside has made unimportant", async () => {
    await simulate(async () => {
      const policy = firstSuccess<string>();
      await openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1));
          nursery.startSoon(at(2, "x"));
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject(bang)));
        },
        { policy },
      );
      expect(policy.errors).toEqual([boom, bang]);
      const late = firstSuccess<string>();
      const cut = moveOnAfter(10, () =>
        openNursery(
          (nursery) => {
            nursery.startSoon(failAt(1));
            nursery.startSoon(() => sleepForever());
          },
          { policy: late },
        ),
      );
      expect(await cut).toBe(undefined);
      expect(late.errors).toEqual([boom]);
    });
  });

  test("throws TaskCancelledError if its tasks were cancelled, one by one or with the nursery, and none failed", async () => {
    await simulate(async () => {
      const one = openNursery(
        async (nursery) => {
          const task = nursery.startSoon(() => sleepForever());
          await checkpoint();
          task.cancel("not needed");
        },
        { policy: firstSuccess() },
      );
      const error = await rejectionAs(TaskCancelledError, one);
      expect(error.message).toBe(
        'the task root > nursery > task#1 was cancelled (AbortError: cancelled: cancel() was called on root > nursery > task#1: "not needed"), so it has no result to join',
      );
      const all = openNursery(
        async (nursery) => {
          for (const name of ["first", "second"]) nursery.startSoon(() => sleepForever(), { name });
          await sleep(1);
          nursery.cancel();
        },
        { policy: firstSuccess() },
      );
      expect((await rejectionAs(TaskCancelledError, all)).task).toBe("root > nursery > first");
    });
  });

  test("throws the failures rather than that, when the nursery's own deadline has cut it short", async () => {
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.deadline = now() + 5;
          nursery.startSoon(() => sleepForever());
          nursery.startSoon(failAt(1));
        },
        { policy: firstSuccess() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
      expect(now()).toBe(5);
    });
  });

  test("without a task is a mistake, and says so", async () => {
    await simulate(async () => {
      const error = await rejectionAs(
        UsageError,
        openNursery(() => {}, { policy: firstSuccess() }),
      );
      expect(error.message).toBe(
        "the nursery of firstSuccess() ended without a task, so there is none that could succeed: start some in its body",
      );
    });
  });

  test("an attempt may replace one that failed: the policy is asked before the nursery may end", async () => {
    await simulate(async () => {
      let attempts = 0;
      let again = () => {};
      const base = firstSuccess<string>();
      const first = await openNursery(
        (nursery) => {
          const attempt = async () => {
            await sleep(1);
            if (++attempts < 3) throw boom;
            return `attempt ${attempts}`;
          };
          again = () => void nursery.startSoon(attempt);
          again();
        },
        {
          policy: {
            onSettled(task: SettledTask<string>) {
              if (task.outcome.state === "failed") again();
              return base.onSettled(task);
            },
            result: () => base.result(),
          },
        },
      );
      expect(first).toBe("attempt 3");
    });
  });
});

describe("until()", () => {
  test("cancels the others once the predicate holds, and resolves to all tasks in the order of their ends", async () => {
    await simulate(async () => {
      let answers = 0;
      const settled = await openNursery(
        (nursery) => {
          nursery.startSoon(at(3, "c"), { name: "c" });
          nursery.startSoon(at(1, "a"), { name: "a" });
          nursery.startSoon(failAt(2), { name: "b" });
          nursery.startSoon(() => sleepForever(), { name: "d" });
        },
        { policy: until<string>(({ outcome }) => outcome.state === "done" && ++answers === 2) },
      );
      expect(now()).toBe(3);
      expect(settled.map(({ name, outcome }) => [name, outcome])).toEqual([
        ["a", { state: "done", value: "a" }],
        ["b", { state: "failed", error: boom }],
        ["c", { state: "done", value: "c" }],
        ["d", { state: "cancelled", reason: expect.objectContaining({ kind: "cancel" }) }],
      ]);
    });
  });

  test("waits for all, whatever becomes of them, if it never holds", async () => {
    await simulate(async () => {
      const settled = await openNursery(
        (nursery) => {
          nursery.startSoon(failAt(2));
          nursery.startSoon(at(1, "x"));
        },
        { policy: until(() => false) },
      );
      expect(settled.map(({ outcome }) => outcome.state)).toEqual(["done", "failed"]);
    });
  });

  test("does not ask the predicate any more once it has held", async () => {
    await simulate(async () => {
      let asked = 0;
      await openNursery(
        (nursery) => {
          for (const ms of [1, 2, 3]) nursery.startSoon(at(ms, ms));
        },
        {
          policy: until(() => {
            asked++;
            return true;
          }),
        },
      );
      expect(asked).toBe(1);
    });
  });

  test("a predicate that throws cancels the nursery, which throws that", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(waiting(log));
          nursery.startSoon(at(5, "x"));
        },
        {
          policy: until(({ outcome }) => {
            if (outcome.state === "done") throw boom;
            return false;
          }),
        },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["waiting cancelled at 5"]);
  });

  test("a predicate that throws takes no failure with it that it was told of", async () => {
    await simulate(async () => {
      const [one, other] = [new Error("one"), new Error("other")];
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(() => Promise.reject(one));
          nursery.startSoon(at(1, "x"));
          nursery.startSoon(() => sleep(2).then(() => Promise.reject(other)));
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject("last")));
        },
        {
          policy: until(({ outcome }) => {
            if (outcome.state === "failed" && outcome.error === other) throw boom;
            return false;
          }),
        },
      );
      expect(await rejectionOf(failing)).toMatchObject({ errors: [one, other, boom, "last"] });
    });
  });

  test("what has settled so far can be seen while it goes on", async () => {
    await simulate(async () => {
      const policy = until<number>(() => false);
      await openNursery(
        async (nursery) => {
          nursery.startSoon(at(1, 1));
          nursery.startSoon(at(3, 3));
          await sleep(2);
          expect(policy.settled).toHaveLength(1);
        },
        { policy },
      );
      expect(policy.settled).toHaveLength(2);
    });
  });
});

describe("a policy of one's own", () => {
  const patient: CancelPolicy = { onSettled: () => "continue" };

  test("may cancel at whatever it likes; the failures are thrown all the same", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1));
          nursery.startSoon(at(5, "enough"));
          nursery.startSoon(waiting(log));
        },
        { policy: { onSettled: ({ outcome }) => (outcome.state === "done" ? "cancel" : "continue") } },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["waiting cancelled at 5"]);
  });

  test("its cancellation says what it is, to those who are cancelled by it", async () => {
    await simulate(async () => {
      const reasons: unknown[] = [];
      for (const task of [at(1, "x"), failAt(1)]) {
        await openNursery(
          (nursery) => {
            nursery.startSoon(() => sleepForever().catch(() => void reasons.push(reasonOf(nursery))));
            nursery.startSoon(task);
          },
          { policy: { onSettled: () => "cancel", result: () => "result" } },
        );
      }
      expect(reasons).toMatchObject([
        { kind: "cancel", message: 'cancelled: cancel() was called on root > nursery: "its policy says so"' },
        { kind: "failure", cause: boom, message: "cancelled: something in root > nursery failed: Error: boom" },
      ]);
    });
  });

  test("is asked about each task once it is final: after its own cleanups, with what they made of it", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      await openNursery(
        (nursery) => {
          const task: Task<string> = nursery.startSoon(async (own) => {
            own.defer(async () => {
              await sleep(5);
              throw boom;
            });
            return "value";
          });
          nursery.startSoon(async () => {
            await sleep(1);
            expect([task.state, task.outcome]).toEqual(["done", undefined]);
          });
        },
        {
          policy: {
            onSettled: ({ outcome }) => {
              seen.push(outcome);
              return "continue";
            },
            result: () => {},
          },
        },
      );
      expect(seen).toEqual([
        { state: "done", value: undefined },
        { state: "failed", error: boom },
      ]);
    });
  });

  test("is asked when those who joined the task have been told, and before the nursery may end", async () => {
    await simulate(async () => {
      let isAsked = false;
      await openNursery(
        async (nursery) => {
          nursery.startSoon(() => {});
        },
        {
          policy: {
            onSettled(task) {
              isAsked = true;
              expect([task.state, [...(task._parent as Nursery).tasks]]).toEqual(["done", [task]]);
              return "continue";
            },
          },
        },
      );
      expect(isAsked).toBe(true);
    });
  });

  test("is not inherited", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const outer = openNursery(
        (nursery) => {
          nursery.startSoon(() =>
            openNursery((inner) => {
              inner.startSoon(failAt(1));
              inner.startSoon(waiting(log, "inner"));
            }),
          );
          nursery.startSoon(() => sleep(5).then(() => log.push("outer ended")));
        },
        { policy: patient },
      );
      expect(await rejectionOf(outer)).toBe(boom);
    });
    expect(log).toEqual(["inner cancelled at 1", "outer ended"]);
  });

  test("with a result is not asked about background tasks: their failure is the nursery's, their value nobody's", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const won = await openNursery(
        (nursery) => {
          nursery.startSoon(() => "of the background", { background: true });
          nursery.startSoon(at(5, "of the task"));
        },
        { policy: firstSuccess<string>() },
      );
      expect(won).toBe("of the task");
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1), { background: true });
          nursery.startSoon(waiting(log));
        },
        { policy: until(() => false) },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["waiting cancelled at 6"]);
  });

  test("without one is asked about them too: collect() keeps the others from a background task that fails", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(failAt(1), { background: true });
          nursery.startSoon(() => sleep(5).then(() => log.push("went on")));
        },
        { policy: collect() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["went on"]);
  });

  test("is asked when the background tasks have ended as well, so that their failures are known", async () => {
    await simulate(async () => {
      let isAsked = false;
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject(boom)), { background: true });
          nursery.startSoon(() => "value");
        },
        {
          policy: {
            onSettled: () => "continue",
            result: () => {
              isAsked = true;
            },
          },
        },
      );
      expect(await rejectionOf(failing)).toBe(boom);
      expect(isAsked).toBe(false);
    });
  });

  test("is asked about a started task once it is in the nursery, and not about one that fails before", async () => {
    await simulate(async () => {
      const policy = until(() => false);
      await openNursery(
        async (nursery) => {
          const failed = nursery.start<void>(async () => {
            await sleep(1);
            throw boom;
          });
          expect(await rejectionOf(failed)).toBe(boom);
          await nursery.start<string>(async (_task, started) => {
            started("ready");
            await sleep(5);
            return "value";
          });
          await nursery.start<void>((_task, started) => started(), { background: true });
        },
        { policy },
      );
      expect(policy.settled.map(({ outcome }) => outcome)).toEqual([{ state: "done", value: "value" }]);
    });
  });

  test("that throws is a failure of the nursery, from wherever", async () => {
    await simulate(async () => {
      const throws = () => {
        throw boom;
      };
      const body = (nursery: { startSoon(fn: () => string): unknown }) => void nursery.startSoon(() => "value");
      for (const policy of [
        { onSettled: throws },
        { onSettled: throws, result: () => "result" },
        { onSettled: () => "continue", result: throws },
        { onSettled: () => "cancel", result: throws },
      ] as JoinPolicy[]) {
        expect(await rejectionOf(openNursery(body, { policy }))).toBe(boom);
      }
    });
  });

  test("may throw anything, also what cannot be asked what it is", async () => {
    const { proxy, revoke } = Proxy.revocable(new Error("revoked"), {});
    revoke();
    await simulate(async () => {
      for (const error of [undefined, null, 0, proxy, Object.freeze({})]) {
        const failing = openNursery(() => {}, {
          policy: {
            onSettled: () => "continue",
            result: () => {
              throw error;
            },
          },
        });
        expect(await failing.then(String, (caught) => Object.is(caught, error))).toBe(true);
      }
    });
  });

  test("that throws a group of its own has that thrown as it is; of the tasks' failures, the nursery makes its group", async () => {
    await simulate(async () => {
      const own = new ErrorGroup([bang, boom], "mine");
      const failing = openNursery((nursery) => void nursery.startSoon(failAt(1)), {
        policy: {
          onSettled: () => "continue",
          result: () => {
            throw own;
          },
        },
      });
      expect(await rejectionOf(failing)).toBe(own);
      const empty = new ErrorGroup([], "mine");
      const throwsNone = openNursery(() => {}, {
        policy: {
          onSettled: () => "continue",
          result: () => {
            throw empty;
          },
        },
      });
      expect(await rejectionOf(throwsNone)).toBe(empty);
    });
  });

  test("may throw the cancellation of its nursery on, which catches it", async () => {
    await simulate(async () => {
      let reason: unknown;
      const joined = openNursery(
        async (nursery) => {
          nursery.startSoon(() => sleepForever());
          await checkpoint();
          nursery.cancel();
        },
        {
          policy: {
            onSettled({ outcome }) {
              if (outcome.state === "cancelled") reason = outcome.reason;
              return "continue";
            },
            result(): string {
              throw reason;
            },
          },
        },
      );
      expect(await joined).toBe(undefined);
      expect(reason).toMatchObject({ kind: "cancel" });
    });
  });

  test("does not decide who catches a cancellation from outside: it passes, and the result is not asked for", async () => {
    await simulate(async () => {
      let isAsked = false;
      const scope = new CancelScope();
      await scope.run(async () => {
        const joined = openNursery((nursery) => void nursery.startSoon(() => sleepForever()), {
          policy: {
            onSettled: () => "cancel",
            result: () => {
              isAsked = true;
            },
          },
        });
        await checkpoint();
        scope.cancel();
        expect(await rejectionOf(joined)).toBe(reasonOf(scope));
      });
      expect(isAsked).toBe(false);
    });
  });

  test("has a result although it was cancelled from outside, if nothing in it was", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        const joined = openNursery((nursery) => void nursery.startSoon(() => "value"), { policy: firstSuccess<string>() });
        await Promise.resolve();
        scope.cancel();
        expect(await joined).toBe("value");
      }),
    );
  });

  test("has no say in what fails in the cleanups, after its result", async () => {
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.defer(() => {
            throw bang;
          });
          nursery.startSoon(failAt(1));
          nursery.startSoon(at(2, "x"));
        },
        { policy: firstSuccess<string>() },
      );
      expect(await rejectionOf(failing)).toBe(bang);
    });
  });

  test("is not asked about tasks that begin after its result: they are the nursery's, as without a policy", async () => {
    await simulate(async () => {
      const policy = until(() => false);
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(() => "value");
          nursery.defer(() => void nursery.startSoon(failAt(1)));
        },
        { policy },
      );
      expect(await rejectionOf(failing)).toBe(boom);
      expect(policy.settled).toHaveLength(1);
    });
  });

  test("may start tasks in result(): they are waited for", async () => {
    await simulate(async () => {
      let nursery: { startSoon(fn: () => unknown): unknown } | undefined;
      const joined = openNursery(
        (own) => {
          nursery = own;
        },
        {
          policy: {
            onSettled: () => "continue",
            result: () => {
              nursery?.startSoon(() => sleep(5));
              return now();
            },
          },
        },
      );
      expect([await joined, now()]).toEqual([0, 5]);
    });
  });
});

describe("Nursery.open() with a policy", () => {
  test("join() resolves to the result, and may be called again", async () => {
    await simulate(async () => {
      await using nursery = Nursery.open({ policy: firstSuccess<string>() });
      nursery.startSoon(at(5, "five"));
      nursery.startSoon(() => sleepForever());
      expect(await nursery.join()).toBe("five");
      expect(await nursery.join()).toBe("five");
    });
  });

  test("without a join() nobody gets the result, so it is not asked for", async () => {
    await simulate(async () => {
      const policy = firstSuccess<string>();
      {
        await using nursery = Nursery.open({ policy });
        nursery.startSoon(failAt(1));
        nursery.startSoon(() => sleepForever());
        await sleep(5);
      }
      expect(policy.errors).toEqual([boom]);
    });
  });

  test("collect() throws what was gathered", async () => {
    await simulate(async () => {
      const nursery = Nursery.open({ policy: collect() });
      nursery.startSoon(failAt(1, boom));
      nursery.startSoon(failAt(2, bang));
      expect((await rejectionAs(ErrorGroup, nursery.join())).errors).toEqual([boom, bang]);
    });
  });

  test("that floats, and is ended with the scope around it, reports nothing", async () => {
    await simulate(async () => {
      await new CancelScope().run(() => {
        const nursery = Nursery.open({ policy: firstSuccess<string>() });
        nursery.startSoon(() => sleepForever());
      });
    });
  });
});

test("a nursery with a policy that floats, and is ended with the scope around it, is not reported", async () => {
  await simulate(async () => {
    await new CancelScope().run(() => {
      void openNursery((nursery) => void nursery.startSoon(() => sleepForever()), { policy: firstSuccess() });
    });
    await sleep(1);
  });
});

test("leaving a nursery with a policy lets others run, also if there is nothing to wait for", async () => {
  await simulate(async (root) => {
    const log: string[] = [];
    root.startSoon(() => void log.push("other"));
    await openNursery(() => {}, { policy: until(() => false) });
    expect(log).toEqual(["other"]);
  });
});

test("run() resolves to the value of its body, so it takes no policy with a result", async () => {
  const error = await rejectionAs(
    UsageError,
    run(() => {}, { policy: firstSuccess() as unknown as CancelPolicy }),
  );
  expect(error.message).toBe("run() resolves to the value of its body: a policy that has a result() is for openNursery()");
});
