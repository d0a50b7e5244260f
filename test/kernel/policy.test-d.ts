import { describe, expectTypeOf, test } from "vitest";
import {
  type Cancelled,
  type CancelPolicy,
  collect,
  type FirstSuccess,
  failFast,
  firstSuccess,
  type JoinPolicy,
  Nursery,
  type NurseryOptions,
  openNursery,
  type PolicyNursery,
  type RunOptions,
  run,
  type SettledTask,
  type Task,
  type TaskOutcome,
  type Until,
  until,
} from "../../src/index.js";

interface Page {
  readonly title: string;
}
declare function fetchPage(task: Task): Promise<Page>;
declare const task: Task<Page>;
declare const options: NurseryOptions;

describe("results are inferred from the policy", () => {
  test("of the policies that come with the library", () => {
    expectTypeOf(openNursery((nursery) => void nursery.startSoon(fetchPage), { policy: firstSuccess<Page>() })).toEqualTypeOf<
      Promise<Page>
    >();
    expectTypeOf(openNursery(() => {}, { policy: until<Page>(() => true) })).toEqualTypeOf<Promise<readonly SettledTask<Page>[]>>();
    expectTypeOf(openNursery(() => {}, { policy: until(() => true) })).toEqualTypeOf<Promise<readonly SettledTask[]>>();
  });

  test("a policy without a result leaves it to the body", () => {
    expectTypeOf(openNursery(() => 1, { policy: collect() })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(openNursery(async () => "x", { policy: failFast() })).toEqualTypeOf<Promise<string>>();
    expectTypeOf(openNursery(() => 1, options)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(openNursery(() => 1, { name: "x" })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(openNursery(() => 1, { policy: undefined })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(run(() => 1, { policy: collect() })).toEqualTypeOf<Promise<number>>();
  });

  test("of one's own, also written in place", () => {
    const policy: JoinPolicy<Page, string> = {
      onSettled: ({ outcome }) => (outcome.state === "done" && outcome.value.title === "" ? "cancel" : "continue"),
      result: () => "x",
    };
    expectTypeOf(openNursery((nursery) => void nursery.startSoon(fetchPage), { policy })).toEqualTypeOf<Promise<string>>();
    const seen: TaskOutcome[] = [];
    const joined = openNursery((nursery) => void nursery.startSoon(fetchPage), {
      policy: {
        onSettled(task) {
          expectTypeOf(task).toEqualTypeOf<SettledTask>();
          seen.push(task.outcome);
          return "continue";
        },
        result: () => seen.length,
      },
    });
    expectTypeOf(joined).toEqualTypeOf<Promise<number>>();
    const own = openNursery(() => 1, {
      policy: { onSettled: ({ outcome }) => (outcome.state === "failed" ? "cancel" : "continue") },
    });
    expectTypeOf(own).toEqualTypeOf<Promise<number>>();
  });

  test("of Nursery.open()", () => {
    expectTypeOf(Nursery.open({ policy: firstSuccess<Page>() }).join()).toEqualTypeOf<Promise<Page>>();
    expectTypeOf(Nursery.open({ policy: collect() })).toEqualTypeOf<Nursery>();
    expectTypeOf(Nursery.open(options).join()).toEqualTypeOf<Promise<void>>();
    expectTypeOf<PolicyNursery<Page, Page>>().toExtend<AsyncDisposable>();
  });
});

describe("the nursery of a policy", () => {
  test("takes tasks of the policy's type; background tasks may give anything", () => {
    openNursery(
      (nursery) => {
        expectTypeOf(nursery).toEqualTypeOf<PolicyNursery<Page>>();
        expectTypeOf(nursery.startSoon(fetchPage)).toEqualTypeOf<Task<Page>>();
        // @ts-expect-error: no Page
        nursery.startSoon(() => "x");
        nursery.startSoon(() => "x", { background: true });
        nursery.start<number>(async (_task, started) => {
          started(1);
          return { title: "x" };
        });
        // @ts-expect-error: no Page
        nursery.start<void>((_task, started) => started());
        nursery.start<void>((_task, started) => started(), { background: true });
      },
      { policy: firstSuccess<Page>() },
    );
  });

  test("is a nursery in everything else, and a scope", () => {
    openNursery(
      async (nursery) => {
        nursery.cancel();
        nursery.defer(() => {});
        expectTypeOf(nursery.tasks).toEqualTypeOf<Iterable<Task>>();
        await fetch("http://localhost", nursery);
        await openNursery(() => {}, nursery);
      },
      { policy: firstSuccess<Page>() },
    );
  });

  test("is a plain one, if the policy has no result", () => {
    openNursery((nursery) => expectTypeOf(nursery).toEqualTypeOf<Nursery>(), { policy: collect() });
  });
});

test("how a task has ended", () => {
  expectTypeOf(task.outcome).toEqualTypeOf<TaskOutcome<Page> | undefined>();
  expectTypeOf<SettledTask<Page>["outcome"]>().toEqualTypeOf<TaskOutcome<Page>>();
  expectTypeOf<Extract<TaskOutcome<Page>, { state: "cancelled" }>["reason"]>().toEqualTypeOf<Cancelled>();
});

test("policies", () => {
  expectTypeOf(failFast).toEqualTypeOf<() => CancelPolicy>();
  expectTypeOf(collect).toEqualTypeOf<() => CancelPolicy>();
  expectTypeOf(firstSuccess<Page>()).toEqualTypeOf<FirstSuccess<Page>>();
  expectTypeOf(until<Page>(() => true)).toEqualTypeOf<Until<Page>>();
  expectTypeOf<FirstSuccess<Page>["errors"]>().toEqualTypeOf<readonly unknown[]>();
  until<Page>(({ outcome }) => outcome.state === "done" && outcome.value.title !== "");
  expectTypeOf<RunOptions["policy"]>().toEqualTypeOf<CancelPolicy | undefined>();
  // @ts-expect-error: run() resolves to the value of its body
  run(() => {}, { policy: firstSuccess() });
  // @ts-expect-error: a promise comes too late
  openNursery(() => {}, { policy: { onSettled: async () => "continue" } });
  // @ts-expect-error: the function, not what it makes
  openNursery(() => {}, { policy: collect });
  // @ts-expect-error: no answer
  openNursery(() => {}, { policy: { onSettled: () => {} } });
});
