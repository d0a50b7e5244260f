import type { Arbitrary, AsyncCommand } from "fast-check";
import { describe, expectTypeOf, test } from "vitest";
import { type Cancellation, cancellation, concurrentModelRun, schedule } from "../../src/testing/fast-check/index.js";
import {
  assertLinearizable,
  fixedSchedule,
  groupOf,
  type HistoryEntry,
  leavesOf,
  recordHistory,
  type Schedule,
  type SequentialModel,
  type Sim,
  simTest,
  simTestFor,
} from "../../src/testing/index.js";

declare const sim: Sim;
declare const test5: (name: string, body: () => Promise<void>, timeout?: number) => 5;
class Box {
  readonly size = 1;
  async get(): Promise<number> {
    return 1;
  }
}

describe("types of histories", () => {
  test("the recorded object has the type of the target; only its members can be named", () => {
    const { object, history } = recordHistory(sim, new Box(), { methods: ["get"] });
    expectTypeOf(object).toEqualTypeOf<Box>();
    expectTypeOf(history).toEqualTypeOf<readonly HistoryEntry[]>();
    // @ts-expect-error there is no such member
    recordHistory(sim, new Box(), { methods: ["put"] });
    // @ts-expect-error not an object
    recordHistory(sim, 5);
  });

  test("a model may name its operations", () => {
    const model: SequentialModel<number, "get" | "set"> = {
      init: () => 0,
      step: (state, op, args, result, entry) => {
        expectTypeOf(op).toEqualTypeOf<"get" | "set">();
        expectTypeOf(args).toEqualTypeOf<readonly unknown[]>();
        expectTypeOf(entry).toEqualTypeOf<HistoryEntry>();
        return result === state ? { state } : undefined;
      },
    };
    expectTypeOf(assertLinearizable([], model, { cancelled: "maybe" })).toEqualTypeOf<void>();
    // @ts-expect-error there is no such mode
    assertLinearizable([], model, { cancelled: "some" });
  });
});

describe("types of schedules and tests", () => {
  test("schedules are values, and arbitraries of them", () => {
    expectTypeOf(fixedSchedule("f:")).toEqualTypeOf<Schedule>();
    expectTypeOf(fixedSchedule("f:").run(() => 5)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(schedule()).toEqualTypeOf<Arbitrary<Schedule>>();
    expectTypeOf(cancellation()).toEqualTypeOf<Arbitrary<Cancellation>>();
    const commands: AsyncCommand<{ n: number }, Box>[] = [];
    const ran = concurrentModelRun(fixedSchedule("f:"), () => ({ model: { n: 1 }, real: new Box() }), [commands, commands]);
    expectTypeOf(ran).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error the base order is the schedule's
    schedule({ sim: { base: "run" } });
  });

  test("a test returns what the runner's does", () => {
    const define = simTestFor(test5);
    expectTypeOf(define("name", async () => {})).toEqualTypeOf<5>();
    expectTypeOf(define.cancellation("name", (given) => expectTypeOf(given).toEqualTypeOf<Sim>(), { modes: ["fault"] })).toEqualTypeOf<5>();
    expectTypeOf(simTestFor(test)).toBeCallableWith("name", () => {}, { schedules: 5, timeout: 10 });
    expectTypeOf(simTest("name", () => {})).toEqualTypeOf<unknown>();
    // @ts-expect-error an exploration has no modes
    define("name", () => {}, { modes: ["fault"] });
  });

  test("patterns are classes, texts, functions, shapes and groups", () => {
    expectTypeOf(groupOf(TypeError, "text", /x/, (error: unknown) => error === 1, { type: Error }, leavesOf(RangeError))).toBeCallableWith(
      1,
    );
    // @ts-expect-error no pattern
    groupOf(5);
  });
});
